"""connector folder"""
