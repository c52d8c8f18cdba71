#!/bin/bash -eu
# Builds every target with its seeds, its regressions and its dictionary, as ClusterFuzzLite wants
# them in $OUT.
cd "$SRC/driftless"
cargo fuzz build --release --debug-assertions
folder="target/$(rustc -vV | sed -n 's/^host: //p')/release"
for target in $(cargo fuzz list); do
    cp "$folder/$target" "$OUT/"
    zip --quiet --junk-paths "$OUT/${target}_seed_corpus.zip" "fuzz/corpus/$target"/*.*
    if [ -d "fuzz/regressions/$target" ]; then
        zip --quiet --junk-paths "$OUT/${target}_seed_corpus.zip" "fuzz/regressions/$target"/*.*
    fi
    if [ -f "fuzz/dictionaries/$target.dict" ]; then
        cp "fuzz/dictionaries/$target.dict" "$OUT/"
    fi
done
