"""Attacks of known truth: one file each, a function from a world to traffic. Add one file to add one."""
