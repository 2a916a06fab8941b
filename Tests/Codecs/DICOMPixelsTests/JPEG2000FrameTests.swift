import Testing

@testable import DICOMPixels

/// Codestreams of JPEG 2000 (ITU-T T.800) against the pixels they were made from, with OpenJPEG's opj_compress. Case D16.
@Suite("JPEG 2000 frames")
struct JPEG2000FrameTests {
    private func decoded(
        _ vector: CodecFrameTests.Vector, _ bytes: [UInt8], rows: Int = 9, columns: Int = 11
    ) -> [UInt8]? {
        JPEG2000Frame.decoded(
            bytes, rows: rows, columns: columns, samples: vector.samples, sampleBytes: vector.sampleBytes)
    }

    @Test("T.800 Annex A to G: a codestream gives the pixels it was made from, and no other size", arguments: vectors)
    func pixels(_ vector: CodecFrameTests.Vector) {
        #expect(decoded(vector, vector.bytes) == vector.pixels)
        #expect(decoded(vector, vector.bytes + [0]) == vector.pixels)
        #expect(decoded(vector, vector.bytes, rows: 11, columns: 9) == nil)
        #expect(decoded(vector, vector.bytes, rows: 9, columns: 12) == nil)
        let (samples, size) = (vector.samples, vector.sampleBytes)
        let more = JPEG2000Frame.decoded(
            vector.bytes, rows: 9, columns: 11, samples: samples % 4 + 1, sampleBytes: size)
        #expect(more == nil)
        if size == 2 {
            #expect(JPEG2000Frame.decoded(vector.bytes, rows: 9, columns: 11, samples: samples, sampleBytes: 1) == nil)
        }
    }

    @Test("What is cut short or of another kind is nil; each cut and each changed byte ends", arguments: vectors)
    func broken(_ vector: CodecFrameTests.Vector) {
        let whole = vector.bytes
        for length in 0..<whole.count - 8 { #expect(decoded(vector, Array(whole.prefix(length))) == nil, "\(length)") }
        #expect(decoded(vector, [UInt8](repeating: 0xFF, count: 500)) == nil)
        var seed: UInt64 = 0x9E37_79B9_7F4A_7C15
        var read = 0
        for _ in 0..<400 {
            var bytes = whole
            for _ in 0..<3 {
                seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes[Int(seed >> 33) % bytes.count] = UInt8(truncatingIfNeeded: seed >> 20)
            }
            let found = decoded(vector, bytes)
            if found != nil { read += 1 }
            #expect(found == nil || found?.count == vector.pixels.count)
        }
        // Headers that were changed are refused, and changes of what they leave to the decoder are decoded.
        #expect((1..<400).contains(read))
    }

    @Test(
        "T.800 §E.1.1.2: planes that an encoder left out stand in their middle, which is exact where it counted on it")
    func withoutLastPlanes() {
        // A code-block as an archive's encoder wrote it: 21 passes of 25, the lowest plane not among them.
        let area = JPEG2000Area(x0: 0, y0: 0, x1: 2, y1: 2)
        var block = JPEG2000Tile.Block(area: area)
        block.zeroPlanes = 10
        block.passes = 21
        block.data = [0x02, 0xD2, 0x00, 0x0F, 0x08, 0x6F]
        let band = JPEG2000Tile.Band(area: area, orientation: 3, planes: 19, cells: [])
        let samples = JPEG2000BlockDecoder.samples(of: block, in: band, JPEG2000Codestream.Coding())
        #expect(samples == [439, -487, -85, -325])
    }

    @Test(
        "What is not read is nil: the irreversible transform, bypass, termination, causal contexts, other progressions")
    func unread() {
        let whole = Self.vectors[0].bytes
        // Behind SOC and SIZ: COD with its progression, levels, sides of code-blocks, style and transform.
        let cod = 2 + 2 + 41
        for (offset, value) in [(12, UInt8(1)), (12, 4), (12, 8), (13, 0), (13, 2), (5, 5), (9, 33), (10, 9)] {
            var bytes = whole
            bytes[cod + offset] = value
            #expect(decoded(Self.vectors[0], bytes) == nil, "\(offset) \(value)")
        }
    }

    @Test("A header that asks for 65,535 tiles, or for more samples than the limit, is refused before any is decoded")
    func size() {
        var tiles = Self.vectors[0].bytes
        // XTsiz and YTsiz of 1 in a frame of 65,535 lines of one pixel.
        tiles.replaceSubrange(
            8..<32,
            with: [0, 0, 0, 1, 0, 0, 0xFF, 0xFF] + [UInt8](repeating: 0, count: 8) + [0, 0, 0, 1, 0, 0, 0, 1])
        #expect(JPEG2000Frame.decoded(tiles, rows: 65_535, columns: 1, samples: 1, sampleBytes: 1) == nil)
        var large = Self.vectors[0].bytes
        large.replaceSubrange(8..<16, with: [0, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF])
        large.replaceSubrange(24..<32, with: [0, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF])
        #expect(JPEG2000Frame.decoded(large, rows: 65_535, columns: 65_535, samples: 1, sampleBytes: 1) == nil)
    }

    /// A codestream of 8 bits in code-blocks of 4 x 4, every packet a byte that adds to none of them; a tile is 128 wide
    /// and high.
    private func empty(from x0: Int, to x1: Int, tiles: Int, layers: Int) -> [UInt8] {
        func long(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
        let sizes = [x1, 128, x0, 0, 128, 128, 0, 0].flatMap(long)
        let siz: [UInt8] = [0xFF, 0x51, 0, 41, 0, 0] + sizes + [0, 1, 7, 1, 1]
        let cod: [UInt8] = [0xFF, 0x52, 0, 12, 0, 0] + long(layers).suffix(2) + [0, 0, 0, 0, 0, 1]
        var bytes: [UInt8] = [0xFF, 0x4F] + siz + cod + [0xFF, 0x5C, 0, 4, 0x40, 0x40]
        for tile in 0..<tiles {
            bytes += [0xFF, 0x90, 0, 10, 0, UInt8(tile)] + long(layers + 14) + [0, 1, 0xFF, 0x93]
            bytes += [UInt8](repeating: 0x80, count: layers)
        }
        return bytes + [0xFF, 0xD9]
    }

    @Test("Layers of code-blocks that cost more than their bytes are refused, in one tile and in all together")
    func layers() {
        func decoded(from x0: Int = 0, to x1: Int, tiles: Int, layers: Int) -> [UInt8]? {
            JPEG2000Frame.decoded(
                empty(from: x0, to: x1, tiles: tiles, layers: layers), rows: 128, columns: x1 - x0, samples: 1,
                sampleBytes: 1)
        }
        let grey = [UInt8](repeating: 128, count: 128 * 128)
        #expect(decoded(to: 128, tiles: 1, layers: 50) == grey)
        // 1,024 code-blocks.
        #expect(decoded(to: 128, tiles: 1, layers: 16_385) == nil)
        #expect(decoded(to: 128, tiles: 1, layers: 65_535) == nil)
        // A tile of 32 before one of 1,024: each alone would be decoded.
        #expect(decoded(from: 127, to: 128, tiles: 1, layers: 16_000) == Array(grey.prefix(128)))
        #expect(decoded(from: 127, to: 256, tiles: 2, layers: 50) == grey + grey.prefix(128))
        #expect(decoded(from: 127, to: 256, tiles: 2, layers: 16_000) == nil)
    }

    static let vectors: [CodecFrameTests.Vector] = [
        .init(
            "8 bits", isLS: false, samples: 1, bits: 8,
            "/0//UQApAAAAAAALAAAACQAAAAAAAAAAAAAACwAAAAkAAAAAAAAAAAABBwEB/1IADAAAAAEAAQQEAAH/XAAHQEBISFD/kAAK"
                + "AAAAAAB0AAH/k9+BCBKJfylJBSGe/mR9ToB01xobk90KglnOSvo5VvQ5d4raCcfaJT8BiH2h4B7WqUhQxx8fKtxE+g6jJLf/"
                + "fwC8jZHQq2RHwZAyfYPIkAyG4B9dmogzLySuOMouZj/n02NAqa/GBf/Z"),
        .init(
            "12 bits", isLS: false, samples: 1, bits: 12,
            "/0//UQApAAAAAAALAAAACQAAAAAAAAAAAAAACwAAAAkAAAAAAAAAAAABCwEB/1IADAAAAAEAAgQEAAH/XAAKQGBoaHBoaHD/"
                + "kAAKAAAAAACrAAH/k8/kPAw6NrQE+jidhpoXdSqZ78fyHx/IVH+AsA/gQhmoq4wzB8TqvMWcfw4b1DFyjC/Hx3MOJiUX6muy"
                + "b4sgf8fyMz/BNH+BYDvHhC4SxD7fiEkEAipe6Y42A+lbr+rG5X8OpTFOA3iIEibf5kkqsqpPkwxwoUYyRGCfyhU03EVvuJyl"
                + "ze3zFxu9ux1fUeGOow1GzRjnhXh/rBnV2PH/2Q=="),
        .init(
            "16 bits", isLS: false, samples: 1, bits: 16,
            "/0//UQApAAAAAAALAAAACQAAAAAAAAAAAAAACwAAAAkAAAAAAAAAAAABDwEB/1IADAAAAAEAAgQEAAH/XAAKQICIiJCIiJD/"
                + "kAAKAAAAAADaAAH/k9/4kKgHeFrWT2O9CbPIjWO0HI/0/DAi/3/D/wMIx/4YHT/xgPAWt/dZyy49WccfBwbbVLb8cQssaruh"
                + "AJKKZN74xKO/FJt61r8Yz6jzXCYWGBA/x/4YRz/xIuh/4YOAHtapSFDHHx9Bd3oXxacZx4/8BSRJg9CxvV6am2BR5QWQCZ8A"
                + "vI2R0KtkR8GQMn1bmYBnMerBWWuguBDtcy7G41pdfIKaPiAdeIQh9sV22b2fJK44yi8wh+VYy3nvP3ADV+N3cX1vh+3gNX65"
                + "lf/Z"),
        .init(
            "16 bits, signed", isLS: false, samples: 1, bits: 16,
            "/0//UQApAAAAAAALAAAACQAAAAAAAAAAAAAACwAAAAkAAAAAAAAAAAABjwEB/1IADAAAAAEAAgQEAAH/XAAKQICIiJCIiJD/"
                + "kAAKAAAAAADZAAH/k8/8MEwYY8zm6cZFJJ+KwFTsbLd0bUo/x/4YJz/xIPj/YkHgF8Iw258vBCutvFMwehaw9dFoDAOhNDKK"
                + "3CLpyr2jKqX/fw4afkluB6/5/NCKTm85x8f+GEM/8SLof+GDgBvEEyYXBJm23ZB7zGROCvJ5rkxxS9FM4r5QjFSkRqhMew8k"
                + "6D8l/xjkOVyoprTwTZs1OPVDYYRYkkCyK1Le6UPzeXuLH9AESMjOI8Cfyn8buzVtciVbrWmhnCGiE45QSiktaXKWRtxkOSl/"
                + "/9k="),
        .init(
            "three components, reversible transform", isLS: false, samples: 3, bits: 8,
            "/0//UQAvAAAAAAALAAAACQAAAAAAAAAAAAAACwAAAAkAAAAAAAAAAAADBwEBBwEBBwEB/1IADAAAAAEBAQQEAAH/XAAHQEBI"
                + "SFD/kAAKAAAAAAEOAAH/k9+A8BKJrO+CSeoku24ikx6l6PXkR+ebhWEssBBzSfhJj8fUKCgL5Z3RVMyqUtaVKvVjnTEHRv9/"
                + "z7RQJMCIBZWyzHgDfABfE9eoGfCrsq/H2iE/AWh9oeApKHvztRD+Wd+xbMMxZCp/ALrgK+4Y0OSTs1BW/NODIymXfwsgKB5s"
                + "hv0DlMb8DyWXCrBUt8/ATn4CE/MOI5LOLL2a69oKhCMabUUqtAhvfy1YoAWWb7cS5xyeot2RROMjmT1UpOZQny5LN7yrf8/A"
                + "Rn4CU/MPKP9/B1H6dKHJT9X4k7mRSX8jnmBk77vz/vLZUGFa5PaLKj8jn4x3RZmcAi+yTL+uS8//2Q=="),
        .init(
            "three components, no transform", isLS: false, samples: 3, bits: 8,
            "/0//UQAvAAAAAAALAAAACQAAAAAAAAAAAAAACwAAAAkAAAAAAAAAAAADBwEBBwEBBwEB/1IADAAAAAEAAQQEAAH/XAAHQEBI"
                + "SFD/kAAKAAAAAAE9AAH/k9+BCBKJrO9iv5itHIk5zNmfBfrrWGWOsZdImcHqW4c43kRyn9+BABKJrO95kheh6k4PSyF64Skc"
                + "o/UmFMAbIofFl3sOkLq/34EAEoms7ttIjg3WZH85HZJYCJmjeFDM3+66zZ8JhcwpWBbPwE5+AxH4CAApBwEuA7iYrgVCunI8"
                + "uJiYZOR/AL/neGYu9KbqH55/GM8f0YBvhndMsC8vI5UWUsMBFRN0uzY9ikYSj8faIT8BmPwEACLyFdE9+LEbqbTdn7guaX8A"
                + "nqjfQ2P83Cs8lDlBd7LXuAzl872TiOquIudjEbqf9YPk+iKmd1cdv8/AQn4DE/MPKUdWypLCrGNfhMjG++PtaQCm+V/zDKuD"
                + "Gd+tqpbLEMJ3E8rwv9oCvyOd7jelKfdKYkDfJ/N+b//Z"),
        .init(
            "four tiles", isLS: false, samples: 1, bits: 8,
            "/0//UQApAAAAAAALAAAACQAAAAAAAAAAAAAACAAAAAgAAAAAAAAAAAABBwEB/1IADAAAAAEAAAQEAAH/XAAEQED/kAAKAAAA"
                + "AABBAAH/k8+0wBDcQkJDSv6Bnrqqo2jSHRHj5krZGRnLOzr6saTSdcoS4IJTOgoYM4GwiXt61KNghv+QAAoAAQAAACsAAf+T"
                + "z7RoENrtNYGnDCt81eGBAW+jOtViHSvEq8jzaLn/kAAKAAIAAAAXAAH/k8+0GAkpsSViuf+QAAoAAwAAABQAAf+Tz7QMC/78"
                + "/9k="),
        .init(
            "quality layers, RPCL, SOP and EPH", isLS: false, samples: 1, bits: 8,
            "/0//UQApAAAAAAALAAAACQAAAAAAAAAAAAAACwAAAAkAAAAAAAAAAAABBwEB/1IADAYCAAMAAgQEAAH/XAAKQEBISFBISFD/"
                + "kAAKAAAAAADMAAH/k/+RAAQAANEA/5IHd/+RAAQAAYD/kv+RAAQAAv3hAP+SRl5WHf8Domf/kQAEAAOA/5L/kQAEAASA/5L/"
                + "kQAEAAXD6giPtB5+YQD/kha391nLAaKbCyxQjYdOrxSbeta/GNt//5EABAAGgP+S/5EABAAHgP+S/5EABAAIx9olPwGIfaHg"
                + "/5Ie1qlIUMcfHyrcRPoOoyS3/38AvI2R0KtkR8GQMn2DyJAMhuAfXZqIMy8krjjKLmY/59NjQKmvxgX/2Q=="),
        .init(
            "code-blocks of 4 x 4", isLS: false, samples: 1, bits: 8,
            "/0//UQApAAAAAAALAAAACQAAAAAAAAAAAAAACwAAAAkAAAAAAAAAAAABBwEB/1IADAAAAAEAAQAAAAH/XAAHQEBISFD/kAAK"
                + "AAAAAACNAAH/k+/gJfwCv4At9oGAEoyCm0cqZYW8K7qhTzgGoYHvElLVuxpgNADNcAiwG+XfBqF/4/aFftBP2gkfICz+Ab/A"
                + "Kw/aF/tBAB7RtQw9nRg2WusCGK6zDj5rUwF/AMG23JV0ZFeUhQTQdAEruQhRfunLi98k4u5aQCiMZUbsBQTT/BL/2Q=="),
        .init(
            "precincts of 4 x 4", isLS: false, samples: 1, bits: 8,
            "/0//UQApAAAAAAALAAAACQAAAAAAAAAAAAAACwAAAAkAAAAAAAAAAAABBwEB/1IADgEAAAEAAQQEAAERIv9cAAdAQEhIUP+Q"
                + "AAoAAAAAAMEAAf+T34AwBpPoWex/34AoBpTlSrPfgCgGm15nE8+0EAsocVvPtBgKsZtrxX/fgDANdapscn/fgBAJP9+AGAcY"
                + "88+0DAahf6H1AYAGqS/B84SH1AkH1AoPUER/BiyJ7gtvbQo/wfODj7QWB84IC7afB6N8JjACN6fgBgwYP8faCz8AaH2goAsi"
                + "K+vjDDYXOqYjEFjCuVPH2gc/AFh9oGAMG8sMG4E3dwtSR4DH2gYF57PA+QEAAX//2Q=="),
    ]
}
