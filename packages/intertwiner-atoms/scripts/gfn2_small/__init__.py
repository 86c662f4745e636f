"""Generator of the embedded data set ``gfn2-small``: enumerated CHNOF molecules, GFN2-xTB labels.

Run it from the folder above this one: ``python -m gfn2_small --out FILE``. The README beside this
file says what each step does.
"""
