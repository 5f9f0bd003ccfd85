"""Tokenizers as bytes: the table that masks are made for, and its trie.

In reading order:

    byte_decoding        what bytes a token string stands for, by the tokenizer's decoder
    hugging_face         the `tokenizers` library: objects and `tokenizer.json`
    sentencepiece_model  SentencePiece `.model` files
    tekken               Mistral's tokenizers
    sources              what `from_tokenizer` takes, and which of these reads it
    cache                vocabularies on disk
    token_trie_cy        all token bytes as one trie in flat arrays
    vocabulary           `Vocabulary`, the public noun
"""

from constrain.vocabulary.token_trie_cy import TokenTrie
from constrain.vocabulary.vocabulary import Vocabulary

__all__ = ["TokenTrie", "Vocabulary"]
