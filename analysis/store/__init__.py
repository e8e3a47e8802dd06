"""Finished work, never made twice: kept under keys that stand for everything it depends on."""
