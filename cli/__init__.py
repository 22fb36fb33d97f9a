"""The command `viadoma`: what can be typed, and what is printed. Everything it does is done by the rooms below."""
