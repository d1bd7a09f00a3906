"""connector hkr"""
