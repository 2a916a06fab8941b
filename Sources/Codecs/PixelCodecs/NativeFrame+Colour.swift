extension NativeFrame {
    /// The frame in RGB where it is YBR_FULL of 8 bits, else itself. PS3.3 §C.7.6.3.1.2.
    ///
    /// Fixed point of 16 bits, each sample rounded to the nearest and cut off at 0 and 255.
    package func inRGB() -> NativeFrame {
        guard photometricInterpretation == "YBR_FULL", samplesPerPixel == 3, sampleBytes == 1, !isSigned else {
            return self
        }
        var out = bytes
        out.withUnsafeMutableBufferPointer { out in
            for at in stride(from: 0, to: out.count - 2, by: 3) {
                let (y, b, r) = (Int(out[at]) << 16 + 32_768, Int(out[at + 1]) - 128, Int(out[at + 2]) - 128)
                // 1.402, 0.344136, 0.714136, 1.772.
                out[at] = Self.sample(y + 91_881 * r)
                out[at + 1] = Self.sample(y - 22_553 * b - 46_802 * r)
                out[at + 2] = Self.sample(y + 116_130 * b)
            }
        }
        return NativeFrame(
            rows: rows, columns: columns, samplesPerPixel: 3, sampleBytes: 1, bitsStored: bitsStored, isSigned: false,
            photometricInterpretation: "RGB", bytes: out) ?? self
    }

    @inline(__always) private static func sample(_ value: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: max(0, min(255, value >> 16)))
    }
}
