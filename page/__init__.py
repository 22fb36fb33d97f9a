"""What people see: the chat and, beside it, its sources. The only package that knows Gradio.

Does not know how an answer is found: it calls the public face of `bot` alone.
"""
