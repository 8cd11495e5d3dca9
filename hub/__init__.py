"""The Data Hub: pages for administrators and operators, made of what `administration` returns."""
