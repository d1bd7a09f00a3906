"""Council information systems that speak OParl 1.0 or 1.1: what a council has decided about a Drucksache."""
