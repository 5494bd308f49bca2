#!/bin/sh
# Runs the device suite of ansatz. Arguments go on to ./device: see ./run.sh --help.
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd) || exit 2

# Libraries: those of the bundle, those of the environment, those in the usual places.
libraries=$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
for folder in "${CUDA_HOME:+$CUDA_HOME/lib64}" "${CUDA_PATH:+$CUDA_PATH/lib64}" /usr/local/cuda/lib64; do
    [ -n "$folder" ] && [ -d "$folder" ] && libraries=$libraries:$folder
done
export LD_LIBRARY_PATH="$libraries"

if command -v ldd >/dev/null 2>&1; then
    missing=$(ldd "$here/device" 2>/dev/null | sed -n 's/^[[:space:]]*\([^ ]*\) => not found.*/\1/p' | tr '\n' ' ')
    if [ -n "$missing" ]; then
        echo "error: this machine lacks libraries that the program loads: $missing" >&2
        case $missing in
            *libcuda.so*) echo "  libcuda comes with the NVIDIA driver: is this a node with a GPU?" >&2 ;;
        esac
        case $missing in
            *libcublas*|*libcurand*|*libcufft*|*libnvrtc*|*libcudart*)
                echo "  The others come with a CUDA toolkit of the version in manifest.json: load its" >&2
                echo "  module, set CUDA_HOME or LD_LIBRARY_PATH, or build the bundle with" >&2
                echo "  cargo xtask device --libraries, which puts them into lib/." >&2 ;;
        esac
        exit 2
    fi
fi

# Devices in the order of nvidia-smi, so that names and numbers belong together.
export CUDA_DEVICE_ORDER="${CUDA_DEVICE_ORDER:-PCI_BUS_ID}"
# The CPU side of the timings uses what the scheduler granted, else every processor.
cpus=${SLURM_CPUS_PER_TASK:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)}
export RAYON_NUM_THREADS="${RAYON_NUM_THREADS:-$cpus}"

# A later --json among the arguments wins over this one.
exec "$here/device" --json device-report.json "$@"
