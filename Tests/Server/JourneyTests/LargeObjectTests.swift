import NIOHTTP1
import Testing

extension JourneyTests {
    /// Objects below, at and beyond what is answered in one step, byte by byte: over clear text from a store without
    /// encryption (sent by the kernel, window by window), from an encrypted one, and over TLS.
    @Suite struct LargeObjectTests {
        private static let mebibyte = 1 << 20

        /// Pixels no two windows of which are alike.
        private static func pixels(_ count: Int, seed: Int) -> [UInt8] {
            var state = UInt64(truncatingIfNeeded: seed) &+ 0x9E37_79B9_7F4A_7C15
            var bytes: [UInt8] = []
            bytes.reserveCapacity(count)
            while bytes.count < count {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes.append(UInt8(truncatingIfNeeded: state >> 33))
            }
            return bytes
        }

        @Test(
            "What was stored is retrieved whole, alone and in parts, from the index and from memory",
            arguments: [(["--no-encryption"], false), ([], false), (["--no-encryption"], true)])
        func retrieve(_ options: [String], _ isTLS: Bool) async throws {
            let folder = try await ServerFolder.make(options)
            defer { folder.remove() }
            try await HilumServer.run(folder, isTLS: isTLS) { server in
                try await WebClient.with(server) { web in
                    let token = try await folder.client.token(from: web)
                    let context = ServerTrait.Context(server: server, web: web, token: token)
                    let all = [1000, Self.mebibyte - 2000, Self.mebibyte, 3 * Self.mebibyte, 5_300_000].enumerated()
                        .map { Self.pixels($1 / 1000 * 1000, seed: $0) }
                    let files = try all.enumerated().map { index, pixels in
                        try Samples.file(study: "1.2.77", instance: "1.2.77.\(index)", pixels: pixels, rows: 500)
                    }
                    for file in files { #expect(try await context.stow([file]).status == 200) }
                    // The second time the rows are in memory.
                    for round in 1...2 {
                        for (index, pixels) in all.enumerated() {
                            let path = "/dicomweb/studies/1.2.77/series/1.2.77.1/instances/1.2.77.\(index)"
                            let alone = try await web.send(
                                .GET, path, token: token, headers: [("Accept", "application/dicom")])
                            #expect(alone.status == 200)
                            #expect(alone.body.suffix(pixels.count) == pixels[...])
                            #expect(alone.headers.first(name: "Content-Length") == "\(alone.body.count)")
                            let parted = try await web.send(.GET, path, token: token)
                            let end = parted.body.count - Self.closing(parted.body)
                            #expect(parted.body[..<end].suffix(pixels.count) == pixels[...], "round \(round)")
                        }
                    }
                    let study = try await web.send(.GET, "/dicomweb/studies/1.2.77", token: token)
                    for pixels in all { #expect(Self.holds(study.body, pixels)) }
                }
            }
        }

        /// Bytes of the last delimiter, which begins with a line end.
        private static func closing(_ body: [UInt8]) -> Int {
            let mark = Array("\r\n--".utf8)
            var start = body.count - mark.count
            while start > 0, !body[start...].starts(with: mark) { start -= 1 }
            return body.count - start
        }

        /// Whether the pixels stand in the body, found by the delimiter or end behind them.
        private static func holds(_ body: [UInt8], _ pixels: [UInt8]) -> Bool {
            let head = pixels.prefix(64)
            var start = body.startIndex
            while start + pixels.count <= body.endIndex {
                if body[start] == head[0], body[start..<(start + head.count)] == head {
                    return body[start..<(start + pixels.count)] == pixels[...]
                }
                start += 1
            }
            return false
        }
    }
}
