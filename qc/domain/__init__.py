"""How far a slide's colour and texture lie from what the networks were trained on.

In: pixels that the artefact stage reads anyway. Out: six features of the slide and their distance from the training
slides. Using it needs numpy and OpenCV only; scikit-learn fits the reference.
"""
