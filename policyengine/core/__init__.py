"""Floor 0, the shared nouns: takes nothing of ours, does no input or output.

Truth values and outcomes, the evidence model, the vocabulary that rules can name, diagnostics, canonical bytes.
"""
