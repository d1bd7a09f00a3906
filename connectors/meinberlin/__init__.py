"""connector meinberlin"""
