/// A small deterministic generator, so that the demo's images are the same bytes on every machine. SplitMix64.
package struct PhantomNoise: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    /// A seed from a name: FNV-1a, 64 bits.
    package static func seed(_ name: String) -> UInt64 {
        name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    /// Adds to `values` a noise of mean 0 and standard deviation `2 * strength`: counted bits of a random word.
    package mutating func disturb(_ values: inout [Int16], strength: Int16) {
        var word: UInt64 = 0
        for index in values.indices {
            if index & 3 == 0 { word = next() }
            values[index] &+= (Int16((word & 0xFFFF).nonzeroBitCount) - 8) &* strength
            word >>= 16
        }
    }
}
