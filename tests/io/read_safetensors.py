#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# tests/io/read_safetensors.py PACKED PLAIN: an independent reader of both kinds of exported folders.
#
# Unpacks and dequantizes every layer of the folder PACKED by what its file says about itself and
# compares all weights with those of the folder PLAIN (F32), bit for bit.
import json
import struct
import sys


def read(folder):
    with open(folder + "/model.safetensors", "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    metadata = header.pop("__metadata__", {})
    return header, metadata, data


def numbers(entry, data):
    begin, end = entry["data_offsets"]
    letter = {"F32": "f", "F16": "e", "I32": "i", "U8": "B"}[entry["dtype"]]
    raw = data[begin:end]
    return struct.unpack("<%d%s" % (len(raw) // struct.calcsize(letter), letter), raw)


def dequantized(layer, header, metadata, data):
    scheme = json.loads(metadata[layer])
    rows, cols = scheme["shape"]
    bits, group = scheme["bits"], scheme["group"]
    packed = numbers(header[layer + ".codes"], data)
    scales = numbers(header[layer + ".scales"], data)
    scale_rows, groups = header[layer + ".scales"]["shape"]
    has_zero = layer + ".zero_points" in header
    zeros = numbers(header[layer + ".zero_points"], data) if has_zero else [0] * len(scales)
    row_bytes = header[layer + ".codes"]["shape"][1]
    weights = []
    for i in range(rows):
        word = int.from_bytes(bytes(packed[i * row_bytes:(i + 1) * row_bytes]), "little")
        for j in range(cols):
            code = word >> (bits * j) & (1 << bits) - 1
            if scheme["signed"] and code >> (bits - 1):
                code -= 1 << bits
            cell = (i if scale_rows > 1 else 0) * groups + j // group
            weights.append(scales[cell] * (code - zeros[cell]))
    return weights


def bits_of(values):
    return struct.pack("<%df" % len(values), *values)


def main():
    header, metadata, data = read(sys.argv[1])
    plain_header, _, plain_data = read(sys.argv[2])
    compared = 0
    for name, entry in plain_header.items():
        layer = name[:-len(".weight")]
        if layer + ".codes" in header:
            values = dequantized(layer, header, metadata, data)
            compared += 1
        else:
            values = numbers(header[name], data)
        if bits_of(values) != bits_of(numbers(entry, plain_data)):
            sys.exit(name + ": the weights differ")
    config = json.load(open(sys.argv[2] + "/config.json"))
    assert config["architectures"] == ["LlamaForCausalLM"] and "quantization_config" not in config
    print("equal", len(plain_header), compared)


main()
