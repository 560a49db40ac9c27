"""Text from people and files, made fit for Streamlit's Markdown: shown as it is, never as markup. Pure."""

import re

_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+!|~$:^=-])")


def plain(text: str) -> str:
    r"""Text with everything escaped that Markdown, colours, icons or formulas would be made of.

    >>> print(plain("a_b <b> :red[x]"))
    a\_b \<b\> \:red\[x\]
    """
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))
