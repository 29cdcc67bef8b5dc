"""Genes and the proteins that they are translated to, by the standard genetic code.

A gene is a row of codons, three bases each; the last one is a stop codon, which is written '*' in the protein. Run as
a script it writes train.csv beside itself. Hidden test data are other seeds of the same `make`.
"""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

TRAINING_SEED = 20264
RESIDUES = "ACDEFGHIKLMNPQRSTVWY*"  # in the order of the 21 classes
IN_TCAG_ORDER = "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"  # NCBI's table 1
CODE = dict(zip(map("".join, product("TCAG", repeat=3)), IN_TCAG_ORDER, strict=True))
CODONS = {residue: [codon for codon in CODE if CODE[codon] == residue] for residue in RESIDUES}


def make(seed: int, count: int, residues: tuple[int, int] = (4, 12)) -> pd.DataFrame:
    """Draw `count` genes and their proteins. Columns: gene, protein.

    residues: the least and the greatest number of amino acids before the stop, both at least 1 and drawn alike. Each
    amino acid is one of 20, drawn alike; its codon, as that of the stop, is one of its synonyms, drawn alike.
    """
    least, most = residues
    if count < 1 or not 1 <= least <= most:
        raise ValueError(f"expected count at least 1 and 1 <= least <= most; got {count}, {residues}")
    rng = np.random.Generator(np.random.PCG64(seed))
    lengths = rng.integers(least, most + 1, count)
    letters = rng.choice(list(RESIDUES[:-1]), lengths.sum())
    proteins = ["".join(part) + "*" for part in np.split(letters, lengths.cumsum()[:-1])]
    shares = iter(rng.random(lengths.sum() + count))
    genes = ["".join(synonym(residue, next(shares)) for residue in protein) for protein in proteins]
    return pd.DataFrame({"gene": genes, "protein": proteins})


def synonym(residue: str, share: float) -> str:
    """Return the codon that lies at the share, 0 <= share < 1, of the synonyms of a residue."""
    return CODONS[residue][int(share * len(CODONS[residue]))]


if __name__ == "__main__":
    data = make(TRAINING_SEED, 2000)
    data.to_csv(Path(__file__).with_name("train.csv"), index=False, lineterminator="\n")
