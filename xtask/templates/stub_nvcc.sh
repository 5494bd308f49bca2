#!/bin/sh
# Stands in for nvcc so that CUDA code can be type-checked without a CUDA toolkit.
# It compiles nothing: it answers --version and leaves empty files where outputs are expected.
folder= output= source=
while [ $# -gt 0 ]; do
    case $1 in
        --version) echo "Cuda compilation tools, release 12.8, V12.8.0"; exit 0 ;;
        --output-directory) shift; folder=$1 ;;
        -o) shift; output=$1 ;;
        *.cu) source=$1 ;;
    esac
    shift
done
[ -z "$output" ] || : > "$output"
[ -z "$folder" ] || [ -z "$source" ] || : > "$folder/$(basename "$source" .cu).ptx"
