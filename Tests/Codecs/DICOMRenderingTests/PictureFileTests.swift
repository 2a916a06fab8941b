import CZlib
import Testing

@testable import DICOMRendering

/// PNG, GIF and profiles. PNG Third Edition; GIF89a; ICC.1 §B.4.
@Suite("Files of pictures")
struct PictureFileTests {
    private static func image(_ samples: Int) throws -> RenderedImage {
        let (rows, columns) = (21, 34)
        let bytes = (0..<rows * columns * samples).map { UInt8(truncatingIfNeeded: $0 * $0 / 7 + $0) }
        return try #require(RenderedImage(rows: rows, columns: columns, samplesPerPixel: samples, bytes: bytes))
    }

    /// Chunks of a PNG, their check sums compared.
    private static func chunks(_ file: [UInt8]) -> [(type: String, content: [UInt8])] {
        func word(_ at: Int) -> Int { file[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
        var found: [(type: String, content: [UInt8])] = []
        var at = 8
        while at + 12 <= file.count {
            let length = word(at)
            let named = Array(file[at + 4..<at + 8 + length])
            #expect(word(at + 8 + length) == Int(crc32_z(0, named, named.count)))
            found.append((String(decoding: named.prefix(4), as: UTF8.self), Array(named.dropFirst(4))))
            at += 12 + length
        }
        #expect(at == file.count)
        return found
    }

    private static func inflated(_ bytes: [UInt8], count: Int) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: count)
        var size = UInt(count)
        #expect(uncompress(&out, &size, bytes, UInt(bytes.count)) == Z_OK)
        return Array(out.prefix(Int(size)))
    }

    @Test("PNG §5, §9: its filtered lines give the pixels back, grey and RGB", arguments: [1, 3])
    func png(_ samples: Int) throws {
        let image = try Self.image(samples)
        let file = try #require(PNGEncoder.encode(image))
        #expect(file.prefix(8) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
        let chunks = Self.chunks(file)
        #expect(chunks.map(\.type) == ["IHDR", "IDAT", "IEND"])
        #expect(chunks[0].content == [0, 0, 0, 34, 0, 0, 0, 21, 8, samples == 3 ? 2 : 0, 0, 0, 0])
        let width = image.columns * samples
        let lines = Self.inflated(chunks[1].content, count: image.rows * (width + 1))
        var pixels = [UInt8](repeating: 0, count: image.bytes.count)
        for row in 0..<image.rows {
            let filter = lines[row * (width + 1)]
            for column in 0..<width {
                let left = column >= samples ? pixels[row * width + column - samples] : 0
                let above = row > 0 ? pixels[(row - 1) * width + column] : 0
                let before = filter == 1 ? left : filter == 2 ? above : 0
                pixels[row * width + column] = lines[row * (width + 1) + 1 + column] &+ before
            }
        }
        #expect(pixels == image.bytes)
    }

    @Test("PNG §11.3.2.3: a colour profile is embedded compressed, and not into grey")
    func pngProfile() throws {
        let profile = [UInt8](repeating: 7, count: 300)
        let chunks = Self.chunks(try #require(PNGEncoder.encode(try Self.image(3), iccProfile: profile)))
        #expect(chunks.map(\.type) == ["IHDR", "iCCP", "IDAT", "IEND"])
        #expect(chunks[1].content.prefix(5) == [0x49, 0x43, 0x43, 0, 0])
        #expect(Self.inflated(Array(chunks[1].content.dropFirst(5)), count: 300) == profile)
        let grey = Self.chunks(try #require(PNGEncoder.encode(try Self.image(1), iccProfile: profile)))
        #expect(grey.map(\.type) == ["IHDR", "IDAT", "IEND"])
    }

    /// A decoder of GIF, as its appendix F describes it: codes to pixels.
    private static func pixels(_ file: [UInt8]) throws -> [UInt8] {
        // Header, screen, table, image descriptor, code size.
        var at = 6 + 7 + 768 + 10
        #expect(file[at] == 8)
        at += 1
        var data: [UInt8] = []
        while file[at] > 0 {
            data += file[at + 1...at + Int(file[at])]
            at += 1 + Int(file[at])
        }
        #expect(Array(file[at...]) == [0, 0x3B])
        var (bit, width) = (0, 9)
        var table: [[UInt8]] = []
        var out: [UInt8] = []
        var before: [UInt8]?
        while true {
            var code = 0
            for index in 0..<width {
                let place = bit + index
                try #require(place >> 3 < data.count)
                code |= Int(data[place >> 3] >> UInt8(place & 7) & 1) << index
            }
            bit += width
            if code == 257 { break }
            if code == 256 {
                table = (0..<258).map { $0 < 256 ? [UInt8($0)] : [] }
                (width, before) = (9, nil)
                continue
            }
            let string: [UInt8]
            if code < table.count {
                string = table[code]
            } else {
                let last = try #require(before)
                string = last + [last[0]]
            }
            out += string
            if let before, table.count < 4_096 { table.append(before + [string[0]]) }
            if table.count == 1 << width, width < 12 { width += 1 }
            before = string
        }
        return out
    }

    @Test("GIF89a Appendix F: a decoder gives the grey back, also where the table is filled more than once")
    func gif() throws {
        for count in [1, 2, 5_000, 300_000] {
            var state: UInt32 = 1
            let bytes = (0..<count).map { _ -> UInt8 in
                state = state &* 1_664_525 &+ 1_013_904_223
                return UInt8(truncatingIfNeeded: state >> 28)
            }
            let (rows, columns) = count == 300_000 ? (500, 600) : (1, count)
            let image = try #require(RenderedImage(rows: rows, columns: columns, samplesPerPixel: 1, bytes: bytes))
            #expect(try Self.pixels(GIFEncoder.encode(image)) == bytes, "\(count) pixels")
        }
    }

    @Test("Several pictures: a head that repeats, the time of each before it, and one end")
    func gifAnimation() throws {
        let image = try #require(RenderedImage(rows: 1, columns: 2, samplesPerPixel: 1, bytes: [3, 4]))
        let head = GIFEncoder.head(image, repeats: true)
        let application: [UInt8] = [0x21, 0xFF, 11] + Array("NETSCAPE2.0".utf8) + [3, 1, 0, 0, 0]
        #expect(Array(head.dropFirst(13 + 768)) == application)
        let picture = GIFEncoder.picture(image, hundredths: 300)
        #expect(picture.prefix(8) == [0x21, 0xF9, 4, 0, 44, 1, 0, 0])
        #expect(try Self.pixels(GIFEncoder.head(image) + picture.dropFirst(8) + GIFEncoder.end) == [3, 4])
    }

    @Test("A colour GIF has the corners of the cube as they are")
    func gifColours() throws {
        let image = try #require(
            RenderedImage(rows: 1, columns: 3, samplesPerPixel: 3, bytes: [0, 0, 0, 255, 255, 255, 255, 0, 0]))
        let file = GIFEncoder.encode(image)
        let colours = try Self.pixels(file).flatMap { file[13 + 3 * Int($0)..<16 + 3 * Int($0)] }
        #expect(colours == image.bytes)
    }

    @Test("ICC.1 §B.4: a profile stands behind JFIF in segments of at most 65,519 bytes of it")
    func jpegProfile() {
        let jpeg: [UInt8] = [0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 2, 0xFF, 0xDB, 0, 2]
        let short = JPEGProfile.embedding([5, 6], in: jpeg)
        #expect(
            short == Array(jpeg[..<8]) + [0xFF, 0xE2, 0, 18] + Array("ICC_PROFILE\0".utf8) + [1, 1, 5, 6]
                + Array(jpeg[8...]))
        let long = JPEGProfile.embedding([UInt8](repeating: 1, count: 65_520), in: jpeg)
        #expect(long.count == jpeg.count + 65_520 + 2 * 18)
        #expect(JPEGProfile.embedding([1], in: [1, 2]) == [1, 2])
    }
}
