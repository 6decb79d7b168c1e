"""Every safeguard, in the order in which an event meets them."""

from tests.ablation.safeguard import Edit, Safeguard

RECEIVING, RETRIES = "shared/receiving.py", "shared/retries.py"
INVENTORY, PAYMENT = "services/inventory/reactions.py", "services/payment/reactions.py"

SAFEGUARDS = (
    Safeguard(
        "mandatory publish",
        "An event that no lane takes is not lost: it stays in the outbox until one does.",
        "Every publish is `mandatory`, and a message that comes back counts as not confirmed.",
        (Edit("shared/broker/publisher.py", "mandatory=True,", "mandatory=False,"),),
        "tests/integration/test_unpublishable.py::test_what_is_not_taken_stays_and_goes_out_in_the_end[unroutable]",
        "--world late",
    ),
    Safeguard(
        "delete after confirm",
        "What a commit logged for others reaches the broker, whoever dies when.",
        "An outbox row is deleted once the broker has confirmed it, and not before.",
        (
            Edit(
                "shared/relay.py",
                "        messages, unfit = self._encoded(unsent)\n",
                "        messages, unfit = self._encoded(unsent)\n"
                "        self.restore([Posted(logged.event_id) for logged in unsent])\n",
            ),
        ),
        "tests/integration/test_unpublishable.py::test_what_is_not_taken_stays_and_goes_out_in_the_end[unroutable]",
        "--world one --budget outage=1 --budget crash=0 --budget duplicate=0",
    ),
    Safeguard(
        "refill generation",
        "What a refill puts back goes to the queue that was declared anew, whatever was published before.",
        "A refill gives an outbox row a generation of its own, and a confirm deletes the one that was published.",
        (Edit("shared/store/statements.py", " AND outbox.generation = r.generation\n", "\n"),),
        "tests/integration/test_refill.py::test_a_confirm_of_before_does_not_undo_a_refill",
        "--world one --budget loss=1 --budget crash=0 --budget duplicate=0",
    ),
    Safeguard(
        "inbox",
        "An event that comes twice has its effect once.",
        "Its id is put into the inbox in the transaction of its effects; one that is there already is dropped.",
        (
            Edit(
                "shared/store/postgres.py",
                'Received(frozenset(row["fresh"] or ()), row["now"])',
                'Received(frozenset(e.event_id for e in envelopes), row["now"])',
            ),
        ),
        "tests/integration/test_duplicates.py::test_of_two_concurrent_batches_one_reacts",
        "--world one",
    ),
    Safeguard(
        "ack after commit",
        "A message is gone from its lane only when all of its events have had their effects.",
        "The ack is sent after the commit; a process that dies before it gets the message again.",
        (
            Edit(
                RECEIVING,
                "            failures = await self._react(lane, message)\n",
                "            await _ack(message)\n            failures = await self._react(lane, message)\n",
            ),
        ),
        "tests/unit/shared/test_receiving.py::test_acked_after_the_commit",
        "--world one --budget duplicate=0",
    ),
    Safeguard(
        "ack after retry confirm",
        "An event that failed is never lost on its way from its message to a delay queue.",
        "The message is acked only once the broker has confirmed the copy of every event that failed.",
        (
            Edit(
                RECEIVING,
                "        if failures:\n            await self._retries",
                "        await _ack(message)\n        if failures:\n            await self._retries",
            ),
        ),
        "tests/unit/shared/test_receiving.py::test_acked_after_the_retry_copies_are_confirmed",
        "--world one --budget bug=1 --budget crash=0 --budget duplicate=0",
    ),
    Safeguard(
        "inbox row removed for a raised reaction",
        "An event whose reaction raised is reacted to when it is tried again.",
        "The transaction that commits its neighbours deletes its id from the inbox.",
        (Edit("shared/store/postgres.py", "        if record.raised:\n", "        if False:\n"),),
        "tests/integration/test_failed_reaction.py::test_an_event_that_fails_for_a_while_has_one_effect_in_the_end",
        "--world one --budget bug=1 --budget crash=0 --budget duplicate=0",
    ),
    Safeguard(
        "fresh headers",
        "An event that fails again and again ends with the dead letters, and never vanishes between two tries.",
        "A retry is a new message with headers of its own; a copied `x-death` makes the broker drop it in silence.",
        (
            Edit(RETRIES, "    return {\n        ATTEMPTS:", "    return failure.old | {\n        ATTEMPTS:"),
            Edit(RETRIES, "    retryable: bool = True\n", "    retryable: bool = True\n    old: dict = None\n"),
            Edit(
                RECEIVING,
                "        retryable=retryable,\n",
                "        retryable=retryable,\n        old=dict(message.headers),\n",
            ),
        ),
        "tests/unit/shared/test_receiving.py::test_nothing_of_the_old_headers_is_copied",
        "--world one --budget bug=2 --budget crash=0 --budget duplicate=0",
    ),
    Safeguard(
        "suspect count",
        "An event that ends every process which reacts to it stops nobody for long, and takes no neighbour along.",
        "Events of a redelivered message are noted before they run; one that has ended three lives alone is set aside.",
        (Edit(RECEIVING, "bool(message.redelivered)", "False"),),
        "tests/integration/test_deadly_event.py::test_the_one_is_set_aside_and_all_others_have_their_effect",
        "--world deadly",
    ),
    Safeguard(
        "sorted locks",
        "Batches that want the same rows wait for each other, and never deadlock.",
        "Every statement takes its rows in the order of their keys.",
        (
            Edit(
                "shared/store/statements.py",
                "FROM json_to_recordset(:rows) AS r(event_id uuid, type text)\n        ORDER BY event_id\n",
                "FROM json_to_recordset(:rows) AS r(event_id uuid, type text)\n",
            ),
        ),
        "tests/integration/test_opposite_orders.py::test_the_same_new_events_in_opposite_orders",
        "--world opposite",
    ),
    Safeguard(
        "row locks",
        "What a decision rests on stays as it is until the decision is committed.",
        "Rows are locked as they are loaded, those too that will only be read.",
        (Edit("shared/store/aggregates.py", ".order_by(own).with_for_update())", ".order_by(own))"),),
        "tests/integration/test_opposite_orders.py::test_a_decision_waits_for_who_changes_what_it_rests_on",
        "--world released",
    ),
    Safeguard(
        "version guard",
        "A state is never written over one that was not read.",
        "An update names the version that was loaded, and a row that has another is a conflict. A lock alone keeps"
        " this promise as well, so the counterexample goes without both.",
        (Edit("shared/store/aggregates.py", ", table.c.version == incoming.c.loaded)", ")"),),
        "tests/integration/test_versions.py",
        "--world last --without 'row locks'",
    ),
    Safeguard(
        "lease fencing",
        "Who lost the lease of an intent cannot touch its row any more.",
        "Every claim has a token, and a row is rescheduled or parked only under the token that it has now.",
        (
            Edit(
                "shared/store/statements.py",
                "CAST(CAST(:asked AS boolean) AS integer)\n    WHERE intent_id = :intent_id AND token = :token\n",
                "CAST(CAST(:asked AS boolean) AS integer)\n    WHERE intent_id = :intent_id AND :token > 0\n",
            ),
        ),
        "tests/integration/test_intents.py::test_a_stale_token_can_neither_reschedule_nor_park",
        "--world one --budget stall=1 --budget silence=1 --budget crash=0 --budget duplicate=0",
    ),
    Safeguard(
        "tombstone",
        "A reservation that comes after its order was cancelled holds nothing.",
        "A cancellation that comes first leaves a reservation that is released, and the late one finds it.",
        (
            Edit(
                INVENTORY, "        case None:\n            lines", "        case None | Released():\n            lines"
            ),
            Edit(
                INVENTORY, '        case Released():\n            return ignore("the order was cancelled first")\n', ""
            ),
        ),
        "tests/unit/services/test_inventory_invariants.py::test_tombstone",
        "--world cancel",
    ),
    Safeguard(
        "provider key",
        "However often a charge is asked for, the customer pays once.",
        "Every ask for one order carries the same key, and the provider charges a key once.",
        (
            Edit("services/payment/provider.py", '{"key": str(order_id), ', '{"key": str(uuid4()), '),
            Edit("services/payment/provider.py", "from uuid import UUID\n", "from uuid import UUID, uuid4\n"),
        ),
        "tests/integration/test_outcomes.py",
        "--world one --budget stall=1 --budget crash=0 --budget duplicate=0",
    ),
    Safeguard(
        "undo through the provider",
        "Nothing is kept of an order that was cancelled, whatever became of its charge.",
        "Once a charge was intended only the provider's undo, which closes the key for good, can say that it is over.",
        (
            Edit(PAYMENT, "AwaitingStock() | AwaitingOrder():\n", "AwaitingStock() | AwaitingOrder() | Charging():\n"),
            Edit(PAYMENT, "        case Charging(money=money) | Captured", "        case Captured"),
        ),
        "tests/integration/test_silent_provider.py::test_the_deadline_ends_an_order_whose_payment_never_answers",
        "--world cancel --budget crash=0 --budget silence=0",
    ),
    Safeguard(
        "feed horizon",
        "Who reads a service's log page by page sees every event, also those that are committed late.",
        "The feed ends below the oldest transaction that still runs: nothing is added there any more.",
        (
            Edit(
                "shared/store/observing.py",
                "      AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())\n",
                "",
            ),
        ),
        "tests/integration/test_feed.py::test_what_is_not_committed_holds_back_what_was_begun_after_it",
        "--world read",
    ),
    Safeguard(
        "feed by transaction",
        "Who reads a service's log page by page sees every event, also those with a lower position than one before.",
        "Pages follow the transactions, and positions only within each.",
        (
            Edit(
                "shared/store/observing.py",
                "WHERE (transaction_id, position) > (CAST(CAST(:transaction_id AS text) AS xid8), CAST(",
                "WHERE (position) > (CAST(",
            ),
            Edit(
                "shared/store/observing.py",
                "ORDER BY events.transaction_id, events.position LIMIT",
                "ORDER BY events.position LIMIT",
            ),
        ),
        "tests/integration/test_feed.py::test_a_lower_position_that_is_committed_later_is_not_passed_over",
        "--world read",
    ),
)
