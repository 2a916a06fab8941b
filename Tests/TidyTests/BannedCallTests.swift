import Testing

@Suite struct BannedCallTests {
    let tree = PackageTree.here

    @Test("No source uses a banned call, but for the files that are excepted with a reason")
    func sources() {
        let files = tree.files(under: "Sources", ending: [".swift"])
        #expect(files.count >= 20)
        #expect(files.flatMap { BannedCall.findings(path: $0.path, source: SwiftSource($0.text)) } == [])
    }

    @Test("An exception names a file that is there and still needs it")
    func exceptionsAreAlive() {
        let files = tree.files(under: "Sources", ending: [".swift"])
        for exception in BannedCall.exceptions {
            #expect(!exception.reason.isEmpty)
            let file = files.first { $0.path == exception.path }
            let lines = file.map { SwiftSource($0.text).lines(containing: exception.word) } ?? []
            #expect(!lines.isEmpty, "\(exception.path) no longer uses \(exception.word): drop its exception")
        }
    }

    @Test("Every word of the list is found where it is code, and only there")
    func badSample() {
        for call in BannedCall.list {
            let source = SwiftSource("// \(call.word)\nlet a = \"\(call.word)\"\nlet b = \(call.word)")
            let found = BannedCall.findings(path: "Sources/Codecs/X/Y.swift", source: source)
            #expect(found == ["Sources/Codecs/X/Y.swift:3: \(call.word) (\(call.reason))"])
            for folder in call.allowedBelow {
                #expect(BannedCall.findings(path: "Sources/\(folder)/Y.swift", source: source) == [])
            }
        }
    }

    @Test("A longer name that ends or begins with a banned word is not that word")
    func longerNames() {
        let source = SwiftSource("footprint(x)\nlet a = MyDate()\nlet b = blueprint(y)\nlet c = x as? Y")
        #expect(BannedCall.findings(path: "Sources/Codecs/X/Y.swift", source: source) == [])
    }

    @Test("@unchecked Sendable and nonisolated(unsafe) carry a written proof in the lines above")
    func uncheckedHasProof() {
        let files = tree.files(under: "Sources", ending: [".swift"])
        #expect(files.flatMap { Self.uncheckedWithoutProof(path: $0.path, text: $0.text) } == [])
        let bad = "struct A {}\n\n\n\n\n\nfinal class B: @unchecked Sendable {}"
        #expect(Self.uncheckedWithoutProof(path: "x", text: bad) == ["x:7: no proof above"])
        let good = "/// Confined to one thread.\nfinal class B: @unchecked Sendable {}"
        #expect(Self.uncheckedWithoutProof(path: "x", text: good) == [])
    }

    /// A comment within the five lines above, or on the line, counts as the proof.
    static func uncheckedWithoutProof(path: String, text: String) -> [String] {
        let source = SwiftSource(text)
        let raw = text.split(separator: "\n", omittingEmptySubsequences: false)
        let lines = source.lines(containing: "@unchecked") + source.lines(containing: "nonisolated(unsafe)")
        return lines.sorted().compactMap { line in
            let near = raw[max(0, line - 6)..<line]
            return near.contains { $0.contains("//") } ? nil : "\(path):\(line): no proof above"
        }
    }
}
