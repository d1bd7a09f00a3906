"""connector xta"""
