"""The translation data are what their datasheet says: proteins by the standard genetic code, drawn as stated."""

from collections import Counter
from math import log2
from pathlib import Path

import pandas as pd
import pytest
from Bio.Data.CodonTable import standard_dna_table
from Bio.Seq import Seq

from autograder.core import load_module

FOLDER = Path(__file__).parents[1] / "datasets" / "translation"


@pytest.fixture(scope="module")
def translation():
    return load_module(FOLDER / "generate.py")


def test_train_csv_holds_2000_genes_of_5_to_13_codons():
    data = pd.read_csv(FOLDER / "train.csv")
    assert len(data) == 2000
    assert set(data.protein.str.len()) == set(range(5, 14))


def test_the_code_is_the_standard_one_of_biopython(translation):
    stops = dict.fromkeys(standard_dna_table.stop_codons, "*")
    assert standard_dna_table.forward_table | stops == translation.CODE
    assert "".join(sorted(standard_dna_table.protein_alphabet)) + "*" == translation.RESIDUES


def test_the_synonyms_are_all_64_codons_each_once(translation):
    synonyms = [codon for codons in translation.CODONS.values() for codon in codons]
    assert sorted(synonyms) == sorted(translation.CODE)
    assert all(
        translation.CODE[codon] == residue
        for residue, codons in translation.CODONS.items()
        for codon in codons
    )


@pytest.mark.parametrize("residues", [(1, 1), (1, 6), (4, 12), (50, 50)])
def test_every_gene_translates_to_its_protein_and_stops_once(translation, residues):
    data = translation.make(seed=1, count=400, residues=residues)
    assert data.protein.tolist() == [str(Seq(gene).translate()) for gene in data.gene]
    assert data.protein.str.endswith("*").all() and data.protein.str.count(r"\*").eq(1).all()
    assert set(data.protein.str.len() - 1) == set(range(residues[0], residues[1] + 1))


def test_lengths_residues_and_synonyms_are_drawn_alike(translation):
    """Chi squared of each count: near its degrees of freedom."""
    data = translation.make(seed=2, count=4000, residues=(3, 8))
    assert chi_squared(data.protein.str.len().value_counts()) < 25  # 5 free; by chance once in 7,000
    codons = pd.Series([gene[i : i + 3] for gene in data.gene for i in range(0, len(gene), 3)])
    letters = codons.map(translation.CODE)
    assert chi_squared(letters[letters != "*"].value_counts()) < 50  # 19 free; by chance once in 7,000
    for residue, synonyms in translation.CODONS.items():
        counts = codons[letters == residue].value_counts()
        assert set(counts.index) == set(synonyms)
        assert chi_squared(counts) < 30  # 5 free at most


def test_neighbours_tell_nothing_of_each_other(translation):
    proteins = translation.make(seed=3, count=8000, residues=(6, 6)).protein
    pairs = Counter(protein[i : i + 2] for protein in proteins for i in range(5))
    assert len(pairs) == 400
    assert chi_squared(pd.Series(pairs)) < 520  # 399 free; by chance once in 30,000


def test_the_datasheet_states_the_entropies(translation):
    synonyms = sum(log2(len(translation.CODONS[residue])) for residue in translation.RESIDUES[:-1]) / 20
    sheet = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"{log2(20):.2f} bits" in sheet and f"{log2(20) + synonyms:.2f} bits" in sheet


def test_the_same_seed_draws_the_same_and_another_seed_others(translation):
    first, again, other = (translation.make(seed, 500) for seed in (7, 7, 8))
    known = set(pd.read_csv(FOLDER / "train.csv").gene)
    assert first.equals(again) and not set(first.gene) & (set(other.gene) | known)


@pytest.mark.parametrize("wrong", [{"count": 0}, {"residues": (0, 4)}, {"residues": (5, 4)}])
def test_impossible_requests_are_refused(translation, wrong):
    with pytest.raises(ValueError, match="0|4"):
        translation.make(**{"seed": 1, "count": 4} | wrong)


def chi_squared(counts: pd.Series) -> float:
    return ((counts - counts.mean()) ** 2 / counts.mean()).sum()
