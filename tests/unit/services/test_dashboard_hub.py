"""What the dashboard tells whoever listens."""

from uuid import UUID

from services.dashboard.hub import NAMED_MAX_ORDERS, News


def test_orders_are_named_unless_they_are_too_many() -> None:
    """Some of many would make those who look at one of the others believe that nothing happened to it."""
    news = News()
    news.add((), {UUID(int=number) for number in range(NAMED_MAX_ORDERS)})
    assert len(news.named or ()) == NAMED_MAX_ORDERS
    news.add((), {UUID(int=NAMED_MAX_ORDERS)})
    assert news.named is None
    news.add((), {UUID(int=0)})
    assert news.named is None
