"""Transactions that overlap: two replicas of one service in the middle of one each, and somebody who reads its log."""
