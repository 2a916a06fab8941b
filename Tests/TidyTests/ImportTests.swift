import Testing

/// The import table of architecture: one arrow, six layers and a composer.
@Suite struct ImportTests {
    let tree = PackageTree.here

    @Test("No arrow of the table goes up, and API, Adapters and Storage never meet")
    func arrows() {
        #expect(ImportTable.house.arrowFindings() == [])
        let bad = ImportTable(rows: [
            "Codec": .init(layer: "Codecs", ours: ["Rule"], outside: []),
            "Rule": .init(layer: "Domain", ours: [], outside: []),
            "Route": .init(layer: "API", ours: ["Table"], outside: []),
            "Table": .init(layer: "Storage", ours: ["Rule"], outside: []),
        ])
        #expect(bad.arrowFindings() == ["Codec → Rule goes up", "Route → Table joins two siblings"])
    }

    @Test("The table has no circle")
    func noCircle() {
        func reaches(_ start: String, _ rows: [String: ImportTable.Row]) -> Bool {
            var seen: Set<String> = []
            var open = Array(rows[start]?.ours ?? [])
            while let next = open.popLast() {
                if next == start { return true }
                if seen.insert(next).inserted { open += rows[next]?.ours ?? [] }
            }
            return false
        }
        #expect(ImportTable.house.rows.keys.filter { reaches($0, ImportTable.house.rows) } == [])
        let row = { (ours: Set<String>) in ImportTable.Row(layer: "Codecs", ours: ours, outside: []) }
        #expect(reaches("A", ["A": row(["B"]), "B": row(["A"])]))
    }

    @Test("Every source imports what its target's row allows, and nothing else")
    func sources() {
        var checked = 0
        var findings: [String] = []
        for file in tree.files(under: "Sources", ending: [".swift"]) {
            let parts = file.components
            guard parts.count >= 4, !ImportTable.composers.contains(parts[1]) else { continue }
            checked += 1
            findings += ImportTable.house.findings(target: parts[2], path: file.path, source: SwiftSource(file.text))
        }
        #expect(checked >= 20)
        #expect(findings == [])
    }

    @Test("What tests share imports what its row allows, and nothing but tests imports it")
    func support() {
        let table = ImportTable.support
        var findings: [String] = []
        for file in tree.files(under: "Tests/Support", ending: [".swift"]) {
            let target = file.components.count >= 4 ? file.components[2] : ""
            findings += table.findings(target: target, path: file.path, source: SwiftSource(file.text))
        }
        for file in tree.files(under: "Sources", ending: [".swift"]) {
            findings += Self.uses(of: table, in: file)
        }
        #expect(findings == [])
        #expect(Self.uses(of: table, in: .init(path: "x", text: "import TestSupport")) == ["x:1: imports TestSupport"])
        // Nor does a target depend on it that is none of tests.
        let ours = ManifestReader.layers(in: tree.manifest).flatMap(\.ours)
        #expect(table.rows.keys.filter(ours.contains) == [])
    }

    private static func uses(of table: ImportTable, in file: PackageTree.File) -> [String] {
        SwiftSource(file.text).imports.compactMap { module, line in
            table.rows[module] == nil ? nil : "\(file.path):\(line): imports \(module)"
        }
    }

    @Test("An import exception names a file that is there and still needs it")
    func exceptionsAreAlive() {
        for exception in ImportTable.exceptions {
            #expect(!exception.reason.isEmpty)
            let file = tree.files(under: "Sources", ending: [".swift"]).first { $0.path == exception.path }
            let modules = file.map { SwiftSource($0.text).imports.map(\.module) } ?? []
            #expect(modules.contains(exception.module), "\(exception.path) no longer imports \(exception.module)")
        }
    }

    @Test("The check sees every way to write an import")
    func badImports() {
        let source = SwiftSource(
            """
            import FHIRModel
            package import Workflow
            @testable import SQLStore
            import struct NIOPosix.ByteBuffer
            // import Hummingbird
            let text = "import Hummingbird"
            /* import /* nested */ Hummingbird */
            import Foundation
            """)
        let found = ImportTable.house.findings(target: "FHIRSearch", path: "x", source: source)
        #expect(
            found == [
                "x:2: FHIRSearch (Codecs) may not import Workflow",
                "x:3: FHIRSearch (Codecs) may not import SQLStore",
                "x:4: FHIRSearch (Codecs) may not import NIOPosix",
                "x:8: FHIRSearch (Codecs) may not import Foundation",
            ])
        #expect(ImportTable.house.findings(target: "Nobody", path: "x", source: source).count == 1)
    }

    @Test("Package.swift draws no arrow that the table does not have")
    func manifest() {
        let targets = ManifestReader.layers(in: tree.manifest)
        #expect(targets.count >= 20)
        #expect(ManifestReader.findings(targets, table: .house) == [])
    }

    @Test("A manifest with an arrow too many is caught")
    func badManifest() {
        let manifest = """
            // layer("Codecs", "Ghost", ["hilum"]),
            layer("Codecs", "HL7v2", ["Workflow", nio("NIOCore"), yams]),
            layer(
                "API", "Nobody", []),
            """
        #expect(
            ManifestReader.findings(ManifestReader.layers(in: manifest), table: .house) == [
                "HL7v2 may not depend on Workflow", "Nobody has no row in the import table",
            ])
    }
}
