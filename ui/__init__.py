"""What people see: tabs, strings, and who may do what. The only package that knows gradio."""
