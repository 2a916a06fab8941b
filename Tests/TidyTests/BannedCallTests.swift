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

    @Test("No Mutex holds a bare function: each reading would wrap it once more, for as long as the server runs")
    func functionsInMutexes() {
        let files = tree.files(under: "Sources", ending: [".swift"])
        #expect(files.flatMap { Self.functionsInMutexes(path: $0.path, text: $0.text) } == [])
        let bad = "let a = Mutex<(@Sendable (Int64) -> Void)?>(nil)\nlet b: Mutex<() -> Void>"
        #expect(Self.functionsInMutexes(path: "x", text: bad) == ["x:1", "x:2"])
        let good = "let a = Mutex<[@Sendable () -> Int]>([])\nlet b = Mutex<(id: Int, text: String)>((0, \"\"))"
        #expect(Self.functionsInMutexes(path: "x", text: good) == [])
    }

    static func functionsInMutexes(path: String, text: String) -> [String] {
        SwiftSource(text).lines(containing: "Mutex<(").filter { line in
            let raw = text.split(separator: "\n", omittingEmptySubsequences: false)[line - 1]
            guard let start = raw.firstRange(of: "Mutex<(")?.upperBound else { return false }
            return raw[start...].prefix { $0 != "=" }.contains("->")
        }.map { "\(path):\($0)" }
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
