import DICOMPixels
import Testing

/// Codestreams of JPEG Lossless (ITU-T T.81 Annex H) and JPEG-LS (T.87) against the pixels they were made from, with
/// DCMTK's dcmcjpeg and dcmcjpls. Case D16.
@Suite("JPEG Lossless and JPEG-LS frames")
struct CodecFrameTests {
    struct Vector: Sendable, CustomStringConvertible {
        let description: String
        let isLS: Bool
        let samples: Int
        let bits: Int
        let base64: String

        init(_ name: String, isLS: Bool, samples: Int, bits: Int, _ base64: String) {
            description = name
            self.isLS = isLS
            self.samples = samples
            self.bits = bits
            self.base64 = base64
        }

        var bytes: [UInt8] {
            let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
            var out: [UInt8] = []
            var word = 0
            var count = 0
            for letter in base64.utf8 where letter != UInt8(ascii: "=") {
                word = word << 6 | (alphabet.firstIndex(of: letter) ?? 0)
                count += 6
                if count >= 8 {
                    count -= 8
                    out.append(UInt8(truncatingIfNeeded: word >> count))
                }
            }
            return out
        }

        var sampleBytes: Int { bits > 8 ? 2 : 1 }

        /// 9 lines of 11 pixels: flat lines, edges, and noise at the right.
        var pixels: [UInt8] {
            (0..<99 * samples).flatMap { index -> [UInt8] in
                let (row, column) = (index / samples / 11, index / samples % 11)
                let value = row < 2 ? 7 : row * 40 + (column > 5 ? index * index * 31 % 97 : 0)
                let sample = value * (bits > 8 ? 257 : 1) % (1 << bits)
                return (0..<sampleBytes).map { UInt8(truncatingIfNeeded: sample >> (8 * $0)) }
            }
        }

        func decoded(_ bytes: [UInt8], rows: Int = 9, columns: Int = 11) -> [UInt8]? {
            isLS
                ? JPEGLSFrame.decoded(
                    bytes, rows: rows, columns: columns, samples: samples, sampleBytes: sampleBytes)
                : JPEGLosslessFrame.decoded(
                    bytes, rows: rows, columns: columns, samples: samples, sampleBytes: sampleBytes)
        }
    }

    @Test("A codestream gives the pixels it was made from, and no other size", arguments: vectors)
    func decodes(_ vector: Vector) {
        #expect(vector.decoded(vector.bytes) == vector.pixels)
        #expect(vector.decoded(vector.bytes, rows: 11, columns: 9) == nil)
        #expect(vector.decoded(vector.bytes, columns: 12) == nil)
        #expect(vector.decoded(Array(vector.bytes.prefix(vector.bytes.count / 2))) == nil)
        #expect(vector.decoded([]) == nil)
    }

    /// JPEG Lossless of 8 bits in one column, the table of one code: a bit of 0 for `symbol`.
    private static func lossless(rows: UInt8, symbol: UInt8, interval: UInt8 = 0, scan: [UInt8]) -> [UInt8] {
        [0xFF, 0xD8, 0xFF, 0xC3, 0, 11, 8, 0, rows, 0, 1, 1, 1, 0x11, 0, 0xFF, 0xC4, 0, 20, 0, 1]
            + [UInt8](repeating: 0, count: 15) + [symbol, 0xFF, 0xDD, 0, 4, 0, interval]
            + [0xFF, 0xDA, 0, 8, 1, 1, 0, 1, 0, 0] + scan + [0xFF, 0xD9]
    }

    @Test("T.81 §H.1.2.1: what a difference sets above the precision is not of the sample")
    func aboveThePrecision() {
        // 0, and 300 in 9 bits: 128 + 300 is 256 + 172.
        let bytes = Self.lossless(rows: 1, symbol: 9, scan: [0b0100_1011, 0b0011_1111])
        #expect(
            JPEGLosslessFrame.decoded(bytes, rows: 1, columns: 1, samples: 1, sampleBytes: 2) == [172, 0])
    }

    @Test("T.81 §B.1.1.2: a restart marker may stand behind fill bytes")
    func fillBytes() {
        for fill in [[], [0xFF], [0xFF, 0xFF]] as [[UInt8]] {
            let bytes = Self.lossless(
                rows: 2, symbol: 0, interval: 1, scan: [0x7F] + fill + [0xFF, 0xD0, 0x7F])
            #expect(JPEGLosslessFrame.decoded(bytes, rows: 2, columns: 1, samples: 1, sampleBytes: 1) == [128, 128])
        }
    }

    @Test("Mutated codestreams never trap and never give another number of bytes", arguments: vectors)
    func fuzz(_ vector: Vector) {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("CodecFrameTests.fuzz \(vector) seed \(seed)")
        var state = seed
        let whole = vector.bytes
        for _ in 0..<500 {
            var bytes = whole
            for _ in 0..<3 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes[Int((state >> 33) % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: state >> 25)
            }
            let decoded = vector.decoded(bytes)
            #expect(decoded == nil || decoded?.count == vector.pixels.count)
        }
    }

    static let vectors: [Vector] = [
        Vector(
            "p1 8", isLS: false, samples: 1, bits: 8,
            "/9j/4AAQSkZJRgABAQAAAQABAAD/wwALCAAJAAsBAREA/8QAHAABAAIDAQEBAAAAAAAAAAAAAAUGBAcIAwEC/9oA"
                + "CAEBAAEAANDAAADZILtK4NOzbQDJmMS5yFoBt7XOPdpO0Akp7yq8taAcj9gfnjuZ4nBfqF9v85aAbVovpAT/AP/Z"),
        Vector(
            "p3 8", isLS: false, samples: 1, bits: 8,
            "/9j/4AAQSkZJRgABAQAAAQABAAD/wwALCAAJAAsBAREA/8QAGwABAAMBAQEBAAAAAAAAAAAABgAHCAUDAgT/2gAI"
                + "AQEAAwAAoaSSSSSSSSSSWTZNk2TZNk3/AKU0NatxKFChQoUMen+JpeqhQoUKFGhm/XthwoUKFChQ68Xfb8lChQoU"
                + "KM3975x9n/E+J8T4nxPifMvAxDmKw1ChQoUKL99bGTe3///Z"),
        Vector(
            "p6 8", isLS: false, samples: 1, bits: 8,
            "/9j/4AAQSkZJRgABAQAAAQABAAD/wwALCAAJAAsBAREA/8QAGwAAAwEBAQEBAAAAAAAAAAAAAAUGBwgCBAH/2gAI"
                + "AQEABgAAwYAAAAAADSaWlpaWl1vVbxlcVDRo0aNE3762W2qGjRo0abSgZtG1Q0aNGjSH1Kjg/lqGjRo0ack6j75l"
                + "zbifE8TxPE8T6K4RxPpVvUNGjRo0q6OkhPm////Z"),
        Vector(
            "ls 8", isLS: true, samples: 1, bits: 8,
            "/9j/9wALCAAJAAsBAREA/9oACAEBAAAAAAsr/P4AABMrAAABai5ACjIAABJSlCFWgAAA44BC6EIQgAAAN2AAADFs"
                + "AABihZCIiAAAgQonsVRERE4AAAG7UAAAHHYoiIiHQAAWvW47iIiQ2IAtAP//2Q=="),
        Vector(
            "p4 12", isLS: false, samples: 1, bits: 12,
            "/9j/4AAQSkZJRgABAQAAAQABAAD/wwALEAAJAAsBAREA/8QAGgABAAMBAQEAAAAAAAAAAAAAAAoLDAkND//aAAgB"
                + "AQAEAAD4ODAAAClIBcbWivfLmdEM0FAMWlMDmB5GOYHQTg9VVw0OMC9MDmB6CgGOzsZJgfaLGBUE4LjbtFMDyMfp"
                + "gegoBl9ZgcwOYHjAqCcF4vMDxgXaKYH/AP//2Q=="),
        Vector(
            "p7 12", isLS: false, samples: 1, bits: 12,
            "/9j/4AAQSkZJRgABAQAAAQABAAD/wwALEAAJAAsBAREA/8QAHAAAAwEAAgMAAAAAAAAAAAAAAAoLDAgJBgcP/9oA"
                + "CAEBAAcAAPg4MAAAAAABFISkSkSkSkSkbbpq0PGEvW+gooKUFKClBSgpIBcLb7yJaHcCdBNBNBNBNBPb3I2ZQytd"
                + "We0FFBSgpQUoKUFOvbhdwesv5v6BOgmgmgmgmgm6n4/yBjo6cLQUUFKClBSgpQU6Le/JpNzOZFAnQTQTQTQTQTZK"
                + "oCZKSfGkJ///2Q=="),
        Vector(
            "ls 12", isLS: true, samples: 1, bits: 12,
            "/9j/9wALEAAJAAsBAREA//gADQH//wASAEMBFABA/9oACAEBAAAAAAwbACAIAgEAgEAgICAgB/GtkBAQEBAAAAAA"
                + "AAAhjWYqHlLEDyAEnwOBwOBwAF7WBmBQc4gdHq4HA4HA4AAS8ZEgX6EbGJiEmBwOBwOAMI0PbAydAvLfSwODg4OA"
                + "AjTAIwMSXGY5CDBwcHBwD4iwrA/BS5t87AwMDAwBVIwMD/FwZ1j/2Q=="),
        Vector(
            "p2 16", isLS: false, samples: 1, bits: 16,
            "/9j/4AAQSkZJRgABAQAAAQABAAD/wwALEAAJAAsBAREA/8QAGgABAQEBAQEBAAAAAAAAAAAADgAPDQoJC//aAAgB"
                + "AQACAADBwaqqqqqqrSUnSUnSUnSUnSUnSUnf3/FJPBoXVVXYmJQUKChQUKChQUKCj8vrz+/QHZWXaGhQUKChQUKC"
                + "hQUKCjfX3vj6IiSkqgoUFCgoUFCgoUFCgoN7egIGhofE5OPzqChQUKChQUKChQUa8vXsD2dn2pqUFCgoUFCgoUFC"
                + "go7w8hIUhInJ1RUoKFBQoKFBQoKFBQ/P9CQtFReNzcnp///Z"),
        Vector(
            "sv1 16", isLS: false, samples: 1, bits: 16,
            "/9j/4AAQSkZJRgABAQAAAQABAAD/wwALEAAJAAsBAREA/8QAGwABAAMBAQEBAAAAAAAAAAAAAA0ODwwLCQr/2gAI"
                + "AQEAAQAAwcGAAAGkpILsbSorw+NOzu0NtBQDpCZgY5PS5mcgIWgoBry9nNzz+92NpMTtBQCSEp4e8vqr68sLWgoB"
                + "pCRn9/8An9vh5MjNoKAX4+oWF9Ab+fzg5aCgGqqtFxfQEgOCfH//2Q=="),
        Vector(
            "ls 16", isLS: true, samples: 1, bits: 16,
            "/9j/9wALEAAJAAsBAREA//gADQH//wASAEMBFABA/9oACAEBAAAAAAwbACAIAgEAgEAgICAgB/AAAKkYCAgICAAA"
                + "AAAAABbGoAMTjCAACmQUMgAAAAABKEAUAUAUAUADBLAs/0AAAAAAAHIxyA8CCZAFAFAFAFAAAAAAAAAN5fgAAAAA"
                + "kYwQVJiYgMEiAKAKAKAKAEhGCB/YGUE1gYwRoAoAoAoAoAUJQAAAAAAAG8uWBQKMRgQwRIAoAoBQCgD48ISPB/35"
                + "6cFRgvwCgBACAEAfoNgYgR+OWAj/2Q=="),
        Vector(
            "p5 8", isLS: false, samples: 3, bits: 8,
            "/9j/wwARCAAJAAsDABEAAREAAhEA/8QAHQABAAIDAAMBAAAAAAAAAAAAAAYHBAUIAgMJAf/aAAwDAAABAAIABQAA"
                + "oahqGAAAAAAAAAAFk2TZIAA/fKwbctTVaKNTSFSSutpVXslEolAAAtG2pFQ1BbHNuqJ3FC/RA8DeyiUSgAAb6WSj"
                + "Fwa83Wl2Udyvd5eMrlEolAAA4d4w4x+gf533xP2Hw/13uOs9hmcbyiUSgAAVDbFu0hm/Om1PnDZl8wO8eHNzzJxP"
                + "xPxOAAOqNnva83VzbK3sqhfLn3quT9RyiUSgAATKQzD1SiBSCutxWWwzJxEph//Z"),
        Vector(
            "sv1 8", isLS: false, samples: 3, bits: 8,
            "/9j/wwARCAAJAAsDABEAAREAAhEA/8QAHAABAAIDAQEBAAAAAAAAAAAAAAYHAwUIBAEC/9oADAMAAAEAAgABAACh"
                + "qGoYAAAAAAAAAAWTZNkgAD7+rBty1NVoo1NIVJK62lVZJRKJQAALRtuwq0qzN+bX1tjx2Kw2C7+USiUAACxrZsmH"
                + "wev9zsfT9weDUaCdSiUSgAAcgcucq916LtvjPsviPrvadV5MfKkolEoAAHIOb0ZvzytreRo72tDexuHtvwdxPxPx"
                + "OAALJ20hr/c7H0/cHg1GgnUylUolEoAAFrSywI1NIVJK62lVZMdq6uxf/9k="),
        Vector(
            "ls-il 8", isLS: true, samples: 3, bits: 8,
            "/9j/9wARCAAJAAsDAREAAhEAAxEA/9oADAMBAAIAAwAAAQALK/m/+b/8/z/fwAACZWgAAA2w4BpSBjBBCEJgBcOE"
                + "4LAMYIIIIAhWCULpQAACRRRRQAAAGhAAABlUAAABzwAAAWIuggggjoZDV+AAUsggghFkABrwAGAAGKoQhCQQAFAA"
                + "aOJlEIQhJ4pIADgAKjQhCEAAAFdAAABfwoADNCFCEIUfSAAACzgGmKBCEIVUAAoAAAMWAAon+hCELKTgAA4AAANQ"
                + "2eoQhCQkGIAAzzxCEIgAAAa0SAAABjQAAAYtj2iIiBCY9QAAAoYdIiIgAAAyL9UAAFKPSIiIA/UDgAMjcoiIgAFC"
                + "VyyW2+IiK+AAxKAZYm+IiINCYAAAGJFE1riIi/C4TZOA///Z"),
        Vector(
            "ls-is 8", isLS: true, samples: 3, bits: 8,
            "/9j/9wARCAAJAAsDAREAAhEAAxEA/9oADAMBAAIAAwAAAgAM50r/f/98r+AAAUGQZSv/aIAAAMAAAADaABMQHg4B"
                + "cDhOFicFVIAABC4shhhhhhhhhhhjKAAAA0J0AAAKHBmAAZDZgAAABz/wAGAAABYgAFAAGKihGjGMYxjGMYxqgqIA"
                + "AAK6AAooAAAC/gANGCxQA4ADCYACtCEgfoxjGMYxjGMekrLTnAAKTgAAAs4AAAMWAADgGgAFAAABqGIm2evHaMYx"
                + "jGMYxmZUIAAANaAPkNoZYgAAAMboAAYAAAGLAAAFeMQw6cuUzMzMzMzOQAAAGRAcACv3UA9QSACD4ADLZVRC23tr"
                + "XMzMzMzMz2EGn4ABhMLCcAAAGJEwDIoyZktw///Z"),
        Vector(
            "ls-in 8", isLS: true, samples: 3, bits: 8,
            "/9j/9wARCAAJAAsDAREAAhEAAxEA/9oACAEBAAAAAAsr/P4AABMrQAAAbYcA0pAAAJBBCEAAABoQAAAZVAAAAc8A"
                + "AAFiLoQhCewAFAAaCAApZCEIRKnAAABZwDQmVQhCJgjhAAMAAMURERAAAAyIAAAL+GAAFfVeIiIjAAYAAHAAABin"
                + "oP/aAAgBAgAAAAALK/z+AAATKxAAABpg4FwWAAAEgggggAAANqAAADSmxAAAUughCEUQAGjABwAFLIQhCWwACgAA"
                + "AxYACiZVCEIQAAAGtFAAAAY0AAAGLABSiEIQgD8wKAAy0twiIgaAAABZwAAAYkU8gP/aAAgBAwAAAAALK/z+AAAT"
                + "KwAAAYA4BcA5OAAASCCCEAAAKAAyYADAADF0IQhAAAAroAAAL+FAAYYJUIQhCkAACgAA4AAANQ8I0IQhAB0FOQAA"
                + "AUAAAGLRIREQACgFABF8trcREQAAAX8WAAL2IAD//9k="),
    ]
}
