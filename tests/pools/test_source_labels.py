from analysis.pools.source_labels import source_labels


def test_sources_are_told_apart_by_as_little_as_needed():
    sources = ["one/x:data/train.json", "one/x:arc/train.json", "two/y:lima.json", "a:b/train", "b/train", "z" * 60]
    labels = source_labels(sources)
    assert labels["two/y:lima.json"] == "lima"
    assert labels["one/x:data/train.json"] == "data/train" and labels["one/x:arc/train.json"] == "arc/train"
    assert len(labels["z" * 60]) == 32 and labels["z" * 60].startswith("…")
    assert len(set(labels.values())) == len(sources)


def test_sources_that_end_alike_in_all_their_length_keep_their_names():
    labels = source_labels(["a/b.json", "a/b.csv", "a:b"])
    assert len(set(labels.values())) == 3
    long = [f"{number}{'x' * 50}" for number in range(3)]
    assert set(source_labels(long).values()) == set(long)
