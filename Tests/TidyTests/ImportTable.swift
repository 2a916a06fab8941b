/// The layer rule: which of our modules a target may import, and which outside modules. A target that is not listed
/// here is not part of the house.
struct ImportTable {
    struct Row: Sendable {
        let layer: String
        let ours: Set<String>
        let outside: Set<String>
    }

    let rows: [String: Row]

    /// A file that may import one module more than its row allows, and why.
    struct Exception: Sendable {
        let path: String
        let module: String
        let reason: String
    }

    static let exceptions: [Exception] = [
        .init(
            path: "Sources/Translation/HL7Translation/SiteZone.swift", module: "Foundation",
            reason: "the rules of named time zones come with it; FoundationEssentials knows offsets only")
    ]

    /// Part of the toolchain and free of I/O: any target may use them.
    static let anywhere: Set<String> = ["Swift", "Synchronization", "FoundationEssentials", "Glibc", "Musl", "Darwin"]

    /// Also part of the toolchain, for the targets that wait for something.
    static let aboveTranslation: Set<String> = ["Dispatch"]

    /// What makes a layer: no arrow between these three, none upwards.
    static let siblings: Set<String> = ["API", "Adapters", "Storage"]
    static let height = [
        "CLibraries": 0, "Foundations": 1, "Codecs": 2, "Domain": 3, "Translation": 4, "Network": 4, "Storage": 5,
        "Adapters": 5, "API": 5, "Server": 6,
    ]

    static let house: ImportTable = {
        let nio: Set<String> = [
            "NIOCore", "NIOPosix", "NIOSSL", "NIOTLS", "Logging", "ServiceLifecycle", "NIOConcurrencyHelpers",
        ]
        let http: Set<String> = ["Hummingbird", "HummingbirdCore", "HTTPTypes", "NIOCore", "Logging", "Metrics"]
        var rows: [String: Row] = [:]
        func row(_ layer: String, _ name: String, _ ours: Set<String>, _ outside: Set<String> = []) {
            rows[name] = Row(layer: layer, ours: ours, outside: outside)
        }
        row("Foundations", "Basics", [])
        row("Foundations", "Cryptography", ["Basics", "COpenSSL"])

        row("Codecs", "DICOMData", ["Basics", "CZlib"])
        row("Codecs", "DICOMNetwork", ["DICOMData"], ["NIOCore"])
        row("Codecs", "DICOMPixels", ["DICOMData"])
        row("Codecs", "PixelCodecs", ["DICOMData", "DICOMPixels", "CTurboJPEG", "COpenJPEG", "CCharLS", "CLittleCMS"])
        row("Codecs", "DICOMRendering", ["DICOMData", "DICOMPixels", "PixelCodecs", "CZlib"])
        row("Codecs", "HL7v2", ["Basics"])
        row("Codecs", "FHIRModel", ["Basics"])
        row("Codecs", "FHIRSearch", ["Basics", "Cryptography", "FHIRModel"])

        row("Domain", "Access", [])
        row("Domain", "Workflow", ["Basics", "DICOMData", "Access"])

        row("Translation", "HL7Translation", ["Basics", "HL7v2", "Workflow", "Access"], ["Yams"])
        row(
            "Translation", "DICOMTranslation",
            ["Cryptography", "DICOMData", "DICOMPixels", "PixelCodecs", "Workflow", "Access"])
        row("Translation", "FHIRResources", ["Basics", "FHIRModel", "FHIRSearch", "DICOMData", "Workflow", "Access"])

        row("Network", "Admission", ["Access"], ["NIOCore", "NIOTLS", "NIOSSL"])

        row(
            "Storage", "SQLStore",
            [
                "Workflow", "Access", "DICOMData", "FHIRModel", "FHIRSearch", "FHIRResources", "CSQLite", "CLibPQ",
                "Basics", "Cryptography",
            ],
            ["NIOCore", "NIOPosix", "Logging"])
        row(
            "Storage", "BlobStore", ["Workflow", "Access", "Basics", "Cryptography"],
            ["NIOCore", "NIOPosix", "Logging"])

        row("Adapters", "MLLPAdapter", ["Admission", "HL7v2", "HL7Translation", "Workflow", "Access"], nio)
        row(
            "Adapters", "DIMSEAdapter",
            ["Admission", "DICOMData", "DICOMNetwork", "DICOMTranslation", "PixelCodecs", "Workflow", "Access"], nio)

        row(
            "Adapters", "PixelAdapter", ["DICOMData", "DICOMPixels", "PixelCodecs", "CPixelSandbox"],
            ["NIOCore", "NIOPosix", "Logging"])

        row(
            "Adapters", "OutboundAdapter",
            ["Access", "Basics", "Cryptography", "DICOMData", "DICOMTranslation", "Workflow"],
            ["NIOCore", "NIOPosix", "NIOSSL", "NIOHTTP1", "AsyncHTTPClient"])

        row(
            "API", "HTTPSupport", ["Basics", "Cryptography", "Access", "Admission", "CZlib"],
            http.union(["NIOHTTP1", "NIOHTTPTypes"]))
        row(
            "API", "FHIRAPI",
            [
                "HTTPSupport", "Basics", "Cryptography", "Access", "FHIRModel", "FHIRSearch", "FHIRResources",
                "Workflow",
            ], http)
        row(
            "API", "DICOMwebAPI",
            [
                "HTTPSupport", "Access", "DICOMData", "DICOMPixels", "DICOMRendering", "DICOMTranslation",
                "PixelCodecs", "Workflow",
            ], http)
        row(
            "API", "SMARTAPI", ["HTTPSupport", "Access", "Basics", "Cryptography"],
            http.union(["NIOHTTP1", "NIOPosix"]))
        row("API", "OpsAPI", ["HTTPSupport", "Access", "Workflow"], http)
        row("API", "ViewerAPI", ["HTTPSupport", "Basics", "Cryptography"], http)
        row("API", "ContractAPI", ["HTTPSupport"], http.union(["Yams"]))
        return ImportTable(rows: rows)
    }()

    /// What test targets share, under Tests/Support: only tests may import it.
    static let support = ImportTable(rows: [
        "TestSupport": Row(
            layer: "Support", ours: ["Workflow", "Access"],
            outside: ["Testing", "NIOCore", "NIOPosix", "NIOSSL", "NIOHTTP1"])
    ])

    /// The composer and the tools compose: any module of ours, any package.
    static let composers: Set<String> = ["Server", "Tools"]

    /// What is wrong with these imports of one file of a target, one line each.
    func findings(target: String, path: String, source: SwiftSource) -> [String] {
        guard let row = rows[target] else { return ["\(path): target \(target) has no row in the import table"] }
        return source.imports.compactMap { module, line in
            if row.ours.contains(module) || row.outside.contains(module) || Self.anywhere.contains(module) {
                return nil
            }
            if module == target { return nil }
            if Self.aboveTranslation.contains(module), Self.siblings.contains(row.layer) { return nil }
            if Self.exceptions.contains(where: { $0.path == path && $0.module == module }) { return nil }
            return "\(path):\(line): \(target) (\(row.layer)) may not import \(module)"
        }
    }

    /// What is wrong with the table itself: arrows that go up, or between siblings of different layers.
    func arrowFindings() -> [String] {
        rows.sorted { $0.key < $1.key }.flatMap { name, row in
            row.ours.sorted().compactMap { other -> String? in
                let layer = rows[other]?.layer ?? "CLibraries"
                guard let from = Self.height[row.layer], let to = Self.height[layer] else {
                    return "\(name): no such layer \(row.layer) or \(layer)"
                }
                if to > from { return "\(name) → \(other) goes up" }
                if row.layer != layer, Self.siblings.contains(row.layer), Self.siblings.contains(layer) {
                    return "\(name) → \(other) joins two siblings"
                }
                return nil
            }
        }
    }
}
