"""Prepares, trains, exports and measures the two models: `python -m training COMMAND --help`."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from encoder import TRAINED, E5Embeddings

OWN = Path(__file__).with_name("data")
PACK = Path(__file__).with_name("pack")


def main() -> None:
    """Runs a command."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    prepare = commands.add_parser("prepare", help="pack the data as token numbers")
    prepare.add_argument("--seed", type=int, default=1, help="another one draws other examples")
    train = commands.add_parser("train", help="train a model; the reader goes on from its checkpoint")
    train.add_argument("model", choices=["reader", "retriever"])
    train.add_argument("--start", type=Path, help="a checkpoint to start from; without it the original weights")
    train.add_argument("--out", type=Path, required=True, help="the checkpoint, outside the work tree")
    train.add_argument("--minutes", type=float, default=150)
    export = commands.add_parser("export", help="checkpoint -> int8 graph that serves")
    export.add_argument("model", choices=["reader", "retriever"])
    export.add_argument("checkpoint", type=Path)
    evaluate = commands.add_parser("evaluate", help="measure a reader's checkpoint on held-out rows")
    evaluate.add_argument("checkpoint", type=Path)
    kinds = commands.add_parser("kinds", help="fit what tells the kinds of questions")
    calibrate = commands.add_parser("calibrate", help="fit probabilities and thresholds")
    calibrate.add_argument(
        "--collection", type=Path, nargs="*", default=[], help="further folders with articles and questions.jsonl"
    )
    calibrate.add_argument(
        "--kept", type=Path, required=True, help="where what was read is kept, outside the work tree"
    )
    for command in (prepare, train):
        command.add_argument("--public", type=Path, help="a folder with qa.jsonl and claims.jsonl")
        command.add_argument("--exclude", type=Path, nargs="*", default=[], help="files of benchmarks: left out")
    for command in (prepare, train, export, evaluate, kinds, calibrate):
        command.add_argument("--own", type=Path, default=OWN, help="our own data (default: training/data)")
        command.add_argument("--pack", type=Path, default=PACK, help="the packed data (default: training/pack)")
    options = parser.parse_args()
    _run(options)


def _run(options: argparse.Namespace) -> None:
    cache = _cache()
    if options.command == "prepare":
        from training.prepare import prepare

        prepare(options.own, options.public, _excluded(options.exclude), options.pack, _embedding(cache), options.seed)
    elif options.command == "train" and options.model == "reader":
        from training import train_reader

        train_reader.train(options.pack, options.start, options.out, options.minutes)
    elif options.command == "train":
        from training import train_retriever

        if not options.public:
            raise SystemExit("The retriever is trained on public questions too: name their folder with --public.")
        excluded = _excluded(options.exclude)
        train_retriever.train(
            options.own, options.public, excluded, _embedding(cache), options.start, options.out, options.minutes
        )
    elif options.command == "export":
        from training.export import export, read_back, write_outputs

        target = Path("encoder") / f"{options.model}.onnx"
        export(options.model, options.checkpoint, options.pack, target)
        if options.model == "reader":
            write_outputs(options.checkpoint, options.own, Path("tests/cases/reader_outputs.json"))
            same, apart = read_back(options.checkpoint, options.pack, target)
            print(f"int8 and float put the same sentence first in {same:.3f}, probabilities apart by {apart:.4f}")
    elif options.command == "evaluate":
        from training.evaluate import evaluate

        print(evaluate(options.pack, options.checkpoint))
    elif options.command == "kinds":
        from training.kinds import fit

        fit(options.own, OWN / "timelines.jsonl", cache, os.cpu_count() or 1)
    else:
        from encoder import Reader
        from training import calibrate
        from training.data import collections

        held_out = collections(options.own, held_out=True)
        gathered = calibrate.gather(
            options.own, [*options.collection, *held_out], Reader(cache, os.cpu_count() or 1), options.kept
        )
        fitted, probabilities = calibrate.fit(gathered)
        print(calibrate.report(gathered, probabilities, fitted))
        calibrate.write(fitted)
        calibrate.plot(gathered.questions, probabilities, Path("docs") / "reliability.svg")


def _embedding(cache: Path) -> E5Embeddings:
    """The shipped retriever: it finds the passages that do not answer."""
    return E5Embeddings(TRAINED, cache, os.cpu_count() or 1)


def _cache() -> Path:
    from vectorstore import load_settings

    return load_settings(None).cache_dir


def _excluded(files: list[Path]) -> frozenset[str]:
    """Passages and lower-case questions of benchmarks: an object a line with `context` or `passage`, and `question`."""
    found = set()
    for file in files:
        for line in file.read_text("utf-8").splitlines():
            row = json.loads(line)
            found |= {row[name] for name in ("context", "passage") if name in row}
            found.add(row["question"].lower())
    return frozenset(found)


if __name__ == "__main__":
    main()
