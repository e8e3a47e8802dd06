"""Keys of stored results: they change with every file that a result depends on, and with nothing else."""

import ast
import json
import shutil

import pytest

from analysis.experiments.selecting import selection_key
from analysis.experiments.workbench import prepare
from analysis.features import MADE_BY
from analysis.methods import METHODS
from analysis.methods.calls import code_of, needs_of
from analysis.paths import PACKAGE
from analysis.store.code_version import code_version, modules_behind, own_code
from analysis.store.store import Store


@pytest.fixture
def package(tmp_path):
    """Writes files of a small package and gives its root."""

    def write(**files):
        root = tmp_path / str(len(list(tmp_path.iterdir())))
        for name, text in files.items():
            file = root.joinpath("analysis", *name.split("__")).with_suffix(".py")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return root

    return write


USER = "from analysis.sums import add\nfrom analysis import signs\n\ndef f(x):\n    return signs.minus(add(x, 1))\n"
FILES = {
    "user": USER,
    "sums": 'def add(x, y):\n    """Says."""\n    return x + y\n',
    "signs": "def minus(x):\n    return -x\n",
}


@pytest.mark.parametrize(
    "changed",
    [
        {"sums": FILES["sums"].replace("Says", "Says more").replace("    return", "    # why\n    return")},
        {"user": '"""New."""\n' + USER.replace("x, 1", "x,  1")},
        {"user": USER.replace("analysis.sums", "analysis.deep.adding"), "deep__adding": FILES["sums"]},
        {"user": USER.replace("signs", "turned"), "turned": FILES["signs"]},
        {"beside": "from analysis.user import f\n"},
    ],
    ids=["docstring and comment", "layout", "another place", "another name", "a new user"],
)
def test_words_places_and_names_change_nothing(package, changed):
    assert code_version("analysis.user", root=package(**FILES)) == code_version(
        "analysis.user", root=package(**(FILES | changed))
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"user": USER.replace("x, 1", "x, 2")},
        {"sums": FILES["sums"].replace("x + y", "x - y")},
        {"signs": FILES["signs"].replace("-x", "+x")},
        {"user": USER.replace("sums import add", "signs import minus as add")},
        {"user": USER.replace("analysis.sums import add", "analysis.other import add"), "other": "add = max\n"},
        {"signs": "from analysis.deep import sign\n\ndef minus(x):\n    return -x\n", "deep": "sign = 1\n"},
    ],
    ids=["own code", "a function imported", "a module imported", "another name", "another source", "a new import"],
)
def test_code_anywhere_behind_a_module_counts(package, changed):
    assert code_version("analysis.user", root=package(**FILES)) != code_version(
        "analysis.user", root=package(**(FILES | changed))
    )


def test_how_results_are_kept_counts_for_nothing(package):
    text = "from analysis.store.shards import run\n\ndef f(x):\n    return run(x)\n"
    versions = {
        code_version("analysis.user", root=package(user=text, store__shards=f"def run(x):\n    return x + {one}\n"))
        for one in (1, 2)
    }
    assert len(versions) == 1


def test_modules_that_change_places_are_noticed(package):
    text = "from analysis import sums, signs\nx = {}.f(1) - {}.g(2)\n"
    one, other = (package(**(FILES | {"user": text.format(*pair)})) for pair in (("sums", "signs"), ("signs", "sums")))
    assert code_version("analysis.user", root=one) != code_version("analysis.user", root=other)
    assert modules_behind("analysis.user", root=one) == {"analysis.user", "analysis.sums", "analysis.signs"}
    assert own_code("analysis.sums", root=one) == own_code("analysis.sums", root=other)


def test_a_name_that_is_no_module_is_an_error(package):
    with pytest.raises(ValueError, match=r"expected a module of the package in .*, found 'analysis.absent'"):
        code_version("analysis.absent", root=package(**FILES))


class Flipped(ast.NodeTransformer):
    """Turns every + into -, every < into >=, every == into !=, `not in` into `in`, and numbers into the next ones."""

    swaps = {  # noqa: RUF012
        ast.Add: ast.Sub, ast.Sub: ast.Add, ast.USub: ast.UAdd,
        ast.Lt: ast.GtE, ast.Gt: ast.LtE, ast.Eq: ast.NotEq, ast.NotIn: ast.In,
    }  # fmt: skip

    def generic_visit(self, node):
        super().generic_visit(node)
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            return ast.copy_location(ast.Constant(node.value + 1), node)
        return self.swaps[type(node)]() if type(node) in self.swaps else node


# Where the scores of each method are computed, file by file: what the lists kept by hand had forgotten among them.
SCORED_IN = {
    "cross_entropy": [
        "features/arrays",
        "features/losses",
        "features/per_row",
        "models/passes/token_losses",
        "models/passes/batches",
        "models/encoding",
        "models/truncation",
        "models/chat_template",
        "features/contexts",
        "features/released_texts",
    ],
    "perplexity": ["features/arrays", "models/passes/token_losses", "methods/selection"],
    "ifd": [
        "features/arrays",
        "methods/tools/pre_experience",
        "features/clusters",
        "models/training/finetuning",
        "models/training/training_rows",
        "features/tuned_models",
    ],
    "superfiltering": ["features/arrays", "methods/ifd", "models/language_model"],
    "selectit": ["features/ratings", "models/passes/next_token", "features/rating_text"],
    "less": [
        "features/influences",
        "models/passes/gradients",
        "models/training/warm_up",
        "models/passes/random_projection",
        "models/training/checkpoints",
        "pools/targets",
        "pools/testbed/evaluation",
    ],
    "rds_plus": ["models/passes/hidden_states", "features/embeddings", "pools/targets", "pools/testbed/evaluation"],
    "zip_compression": ["methods/tools/deflate", "methods/tools/huffman", "methods/tools/zlib_sizes"],
    "kmeans": ["features/clusters", "methods/tools/quotas", "features/text_embeddings", "methods/token_length"],
    "residual": ["methods/ifd", "features/arrays", "models/encoding", "methods/selection"],
    "diverse_evol": ["methods/tools/k_center", "models/passes/hidden_states"],
    "near_duplicate_filter": ["pools/near_duplicates"],
    "token_length": ["models/encoding", "models/chat_template"],
}


@pytest.mark.parametrize("method, name", [(method, name) for method, names in SCORED_IN.items() for name in names])
def test_a_flipped_sign_changes_the_key_of_every_method_that_it_reaches(method, name, tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "analysis", ignore=shutil.ignore_patterns("bases", "__pycache__"))
    file = tmp_path / "analysis" / f"{name}.py"
    file.write_text(ast.unparse(Flipped().visit(ast.parse(file.read_text()))))
    assert code_version(*code_of(method), root=tmp_path) != code_version(*code_of(method))


def test_no_key_depends_on_methods_that_are_not_asked():
    for method in set(METHODS) - {"ifd", "superfiltering", "kmeans", "residual"}:
        others = {f"analysis.methods.{other}" for other in METHODS} - {f"analysis.methods.{method}"}
        assert not modules_behind(*code_of(method)) & others, method


def test_no_key_depends_on_how_files_are_read():
    """A pool's fingerprint and that of target rows say what was read: a new shape of files loses no selection."""
    reading = {f"analysis.pools.{name}" for name in ("conversion", "formats", "turns", "files", "reading", "loading")}
    for method in METHODS:
        made_by = [MADE_BY[need] for need in needs_of(method)]
        assert not modules_behind(*code_of(method), *made_by) & reading, method


@pytest.mark.parametrize("method", ["rds_plus(targets='{}')", "kmeans(inside='less(targets=\\'{}\\')')"])
def test_target_rows_of_a_file_are_in_the_key_whatever_their_fields_are_called(tmp_path, method):
    work = prepare("curated", limit=40, store=Store(tmp_path / "store"))
    file = tmp_path / "own.jsonl"
    keys = []
    for answer in ("four", "five", "four"):
        file.write_text("".join(json.dumps({"q": f"{n} and two?", "a": answer}) + "\n" for n in range(4)))
        name = f"{file}::prompt=q,answer=a"
        keys.append(selection_key(work, method.format(name), 5, 0, "rows"))
    assert keys[0] == keys[2] != keys[1]


def test_a_random_draw_does_not_depend_on_the_base(tmp_path):
    keys = {
        model: {
            method: selection_key(
                prepare("curated", limit=40, model=model, store=Store(tmp_path)), method, 5, 0, "rows"
            )
            for method in ("random_selection", "token_length", "cross_entropy")
        }
        for model in ("tiny-weak", "tiny-strong")
    }
    weak, strong = keys["tiny-weak"], keys["tiny-strong"]
    assert weak["random_selection"] == strong["random_selection"]
    assert weak["token_length"] == strong["token_length"]  # both bases have the same tokenizer
    assert weak["cross_entropy"] != strong["cross_entropy"]


def test_every_python_gives_the_same_version(package):
    """Keys are published: made under one Python they must be found under another, whose ast has other fields."""
    code = "class A:\n    pass\n\n\nasync def f(*, x: int = 1) -> list[int]:\n    return [f'{g():{y}}' for y in []]\n"
    assert own_code("analysis.user", package(user=code)).startswith("3604fc7e32250c831107e689")
