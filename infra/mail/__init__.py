"""The mail sink: takes what is sent over SMTP, keeps it, and shows it on a small page.

It stands for the customers' mailboxes, so it shows addresses and bodies in full. It shares no code with
Quartet, nor with the payment provider.
"""
