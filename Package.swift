// swift-tools-version: 6.2
import PackageDescription

// The import table of the house: each target names every module of ours that it may import.
// CI builds with `--explicit-target-dependency-import-check error`, and Tests/TidyTests reads
// the sources against the layer rule, so an arrow that is not drawn here does not compile.

/// With HILUM_QUICK=1 in the environment our own modules are built without optimisation and file by file: a change is
/// built in a fifth of the time, while the packages stay as they are. For work on Hilum; nothing is released or measured
/// from such a build.
let quick: [SwiftSetting] =
    Context.environment["HILUM_QUICK"] == "1"
    ? [
        .unsafeFlags(
            ["-Onone", "-no-whole-module-optimization", "-enable-batch-mode", "-incremental"],
            .when(configuration: .release))
    ] : []

let strict: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        // Tests run on the release build, and some look inside their target with @testable.
        .unsafeFlags(["-enable-testing"], .when(configuration: .release)),
    ] + quick

func nio(_ name: String) -> Target.Dependency { .product(name: name, package: "swift-nio") }
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let httpTypesNIO: Target.Dependency = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

/// A library target of one layer, with its mirror under Tests.
func layer(
    _ folder: String, _ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Sources/\(folder)/\(name)", resources: resources,
        swiftSettings: strict)
}
func tests(_ folder: String, _ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target
{
    .testTarget(
        name: "\(name)Tests", dependencies: dependencies, path: "Tests/\(folder)/\(name)Tests",
        resources: resources, swiftSettings: strict)
}
func system(_ name: String, pkgConfig: String, apt: String) -> Target {
    .systemLibrary(
        name: name, path: "Sources/CLibraries/\(name)", pkgConfig: pkgConfig, providers: [.apt([apt])])
}

let package = Package(
    name: "hilum",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "hilum", targets: ["hilum"]),
        .executable(name: "hilum-bench", targets: ["HilumBench"]),
    ],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // System libraries by module map, and libpq, which is loaded when a configuration asks for PostgreSQL.
        .target(name: "CLibPQ", path: "Sources/CLibraries/CLibPQ"),
        system("CSQLite", pkgConfig: "sqlite3", apt: "libsqlite3-dev"),
        system("COpenSSL", pkgConfig: "libcrypto", apt: "libssl-dev"),
        system("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
        system("CTurboJPEG", pkgConfig: "libturbojpeg", apt: "libturbojpeg0-dev"),
        system("COpenJPEG", pkgConfig: "libopenjp2", apt: "libopenjp2-7-dev"),
        system("CCharLS", pkgConfig: "charls", apt: "libcharls-dev"),
        system("CLittleCMS", pkgConfig: "lcms2", apt: "liblcms2-dev"),
        // The process that reads foreign pixels: what Swift cannot say in system calls.
        .target(name: "CPixelSandbox", path: "Sources/CLibraries/CPixelSandbox"),

        // Foundations: what any layer may stand on.
        layer("Foundations", "Basics", []),
        layer("Foundations", "Cryptography", ["Basics", "COpenSSL"]),

        // Codecs: bytes to values and back; pure.
        layer("Codecs", "DICOMData", ["Basics", "CZlib"]),
        layer("Codecs", "DICOMNetwork", ["DICOMData", nio("NIOCore")]),
        layer("Codecs", "DICOMPixels", ["DICOMData"]),
        layer(
            "Codecs", "PixelCodecs",
            ["DICOMData", "DICOMPixels", "CTurboJPEG", "COpenJPEG", "CCharLS", "CLittleCMS"]),
        layer("Codecs", "DICOMRendering", ["DICOMData", "DICOMPixels", "PixelCodecs", "CZlib"]),
        layer("Codecs", "HL7v2", ["Basics"]),
        layer("Codecs", "FHIRModel", ["Basics"]),
        layer("Codecs", "FHIRSearch", ["Basics", "Cryptography", "FHIRModel"]),

        // Domain: rules and ports.
        layer("Domain", "Workflow", ["Basics", "Access"]),
        layer("Domain", "Access", []),

        // Translation: the only place where two vocabularies meet.
        layer("Translation", "HL7Translation", ["Basics", "HL7v2", "Workflow", "Access", yams]),
        layer(
            "Translation", "DICOMTranslation",
            ["Cryptography", "DICOMData", "DICOMPixels", "PixelCodecs", "Workflow", "Access"]),
        layer("Translation", "FHIRResources", ["Basics", "FHIRModel", "FHIRSearch", "Workflow", "Access"]),

        // Network: what all doors share about connections.
        layer("Network", "Admission", ["Access", nio("NIOCore"), nio("NIOTLS"), nioSSL]),

        // Storage: implements the ports.
        layer(
            "Storage", "SQLStore",
            [
                "Workflow", "Access", "DICOMData", "FHIRModel", "FHIRSearch", "FHIRResources", "CSQLite", "CLibPQ",
                "Basics", "Cryptography",
                nio("NIOCore"), nio("NIOPosix"), logging,
            ]),
        layer("Storage", "BlobStore", ["Workflow", "Basics", "Cryptography", nio("NIOCore"), nio("NIOPosix")]),

        // Adapters: sockets to hospital systems.
        layer(
            "Adapters", "MLLPAdapter",
            [
                "Admission", "HL7v2", "HL7Translation", "Workflow", "Access", nio("NIOCore"), nio("NIOPosix"),
                nio("NIOTLS"), nioSSL, logging, lifecycle,
            ]),
        layer(
            "Adapters", "DIMSEAdapter",
            [
                "Admission", "DICOMData", "DICOMNetwork", "DICOMTranslation", "PixelCodecs", "Workflow", "Access",
                nio("NIOCore"), nio("NIOPosix"), nioSSL, logging, lifecycle,
            ]),

        layer(
            "Adapters", "PixelAdapter",
            ["DICOMData", "DICOMPixels", "PixelCodecs", "CPixelSandbox", nio("NIOCore"), nio("NIOPosix"), logging]),

        layer(
            "Adapters", "OutboundAdapter",
            [
                "Access", "Basics", "Cryptography", "DICOMData", "DICOMTranslation", "Workflow", nio("NIOCore"),
                nio("NIOPosix"), nio("NIOHTTP1"), nioSSL, asyncHTTPClient,
            ]),

        // API: HTTP.
        layer(
            "API", "HTTPSupport",
            [
                "Basics", "Cryptography", "Access", "Admission", "CZlib", hummingbird,
                .product(name: "HummingbirdCore", package: "hummingbird"), httpTypes,
                nio("NIOCore"), nio("NIOHTTP1"), httpTypesNIO, logging,
            ]),
        layer(
            "API", "FHIRAPI",
            [
                "HTTPSupport", "Basics", "Cryptography", "Access", "FHIRModel", "FHIRSearch", "FHIRResources",
                "Workflow",
                hummingbird, httpTypes, nio("NIOCore"), logging,
            ]),
        layer(
            "API", "DICOMwebAPI",
            [
                "HTTPSupport", "Access", "DICOMData", "DICOMPixels", "DICOMRendering", "DICOMTranslation",
                "PixelCodecs", "Workflow", hummingbird, httpTypes, nio("NIOCore"), logging,
            ]),
        layer(
            "API", "SMARTAPI",
            [
                "HTTPSupport", "Access", "Basics", "Cryptography", hummingbird, httpTypes, nio("NIOCore"),
                nio("NIOPosix"), nio("NIOHTTP1"),
                logging,
            ]),
        layer("API", "OpsAPI", ["HTTPSupport", "Access", "Workflow", hummingbird, httpTypes, metrics]),
        // Its page, stylesheet and scripts are files, and built into the program.
        layer(
            "API", "ViewerAPI", ["HTTPSupport", "Basics", "Cryptography", hummingbird, httpTypes],
            resources: [
                "decoder.js", "dicomjson.js", "dicomweb.js", "follow.js", "frameworker.js", "geometry.js", "loader.js",
                "main.js", "painter.js", "pixels.js", "popup.js",
                "reformat.js", "slide.js", "smart.js", "tools.js", "viewer.css", "viewer.html", "viewport.js",
            ].map { .embedInCode("Assets/" + $0) }),

        // The files of openapi/, by links, and pages to read them by.
        layer(
            "API", "ContractAPI", ["HTTPSupport", hummingbird, httpTypes, yams],
            resources: [
                "account", "cds-hooks", "contract", "dicomweb", "fhir", "launches", "messages", "operations", "ops",
                "outbox",
                "smart",
                "viewer",
            ].map { .embedInCode("Assets/" + $0 + ".yaml") }),

        // The composer.
        .executableTarget(
            name: "hilum",
            dependencies: [
                "DICOMData", "DICOMNetwork", "DICOMPixels", "HL7v2", "FHIRModel", "FHIRSearch", "Workflow", "Access",
                "HL7Translation", "DICOMTranslation", "FHIRResources", "SQLStore", "BlobStore", "MLLPAdapter",
                "DIMSEAdapter", "OutboundAdapter", "PixelCodecs", "PixelAdapter", "HTTPSupport", "FHIRAPI",
                "DICOMwebAPI", "SMARTAPI", "OpsAPI", "ViewerAPI", "ContractAPI",
                "Admission", "Basics", "Cryptography",
                hummingbird, httpTypes,
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                lifecycle, unixSignals, logging, metrics, asyncHTTPClient, yams, nioSSL, nio("NIOCore"),
                nio("NIOPosix"), nio("NIOTLS"),
                nio("NIOHTTP1"),
            ],
            path: "Sources/Server", exclude: ["Server.docc"], swiftSettings: strict),

        // Tools: generators of committed facts, and the benchmark's bounds.
        .executableTarget(
            name: "GenerateFHIRDefinitions", dependencies: ["FHIRModel"],
            path: "Sources/Tools/GenerateFHIRDefinitions", swiftSettings: strict),
        .executableTarget(
            name: "HilumBench",
            dependencies: [
                "CSQLite", "DIMSEAdapter", "DICOMData", "DICOMNetwork", "SQLStore", "FHIRModel", "FHIRSearch",
                "FHIRResources", "Workflow", "Access", "Basics", "Cryptography", hummingbird, httpTypes, logging,
                nio("NIOCore"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/Tools/HilumBench", swiftSettings: strict),

        // What several test targets share; only tests import it.
        .target(
            name: "TestSupport",
            dependencies: ["Workflow", "Access", nio("NIOCore"), nio("NIOPosix"), nio("NIOHTTP1"), nioSSL],
            path: "Tests/Support/TestSupport", swiftSettings: strict),

        // Tests mirror Sources.
        tests("Foundations", "Basics", ["Basics"]),
        tests("Foundations", "Cryptography", ["Cryptography", "Basics", "COpenSSL"]),
        tests("Codecs", "DICOMData", ["TestSupport", "DICOMData"]),
        tests("Codecs", "DICOMNetwork", ["TestSupport", "DICOMNetwork", "DICOMData", nio("NIOCore")]),
        tests("Codecs", "DICOMPixels", ["DICOMPixels", "DICOMData"]),
        tests("Codecs", "PixelCodecs", ["TestSupport", "PixelCodecs", "DICOMPixels", "DICOMData"]),
        tests(
            "Codecs", "DICOMRendering",
            ["TestSupport", "DICOMRendering", "PixelCodecs", "DICOMPixels", "DICOMData", "CZlib"]),
        tests("Codecs", "HL7v2", ["TestSupport", "HL7v2"]),
        tests("Codecs", "FHIRModel", ["TestSupport", "FHIRModel"]),
        tests("Codecs", "FHIRSearch", ["Basics", "FHIRSearch", "FHIRModel"]),
        tests("Codecs", "Vector", ["DICOMData", "DICOMNetwork", "HL7v2", "FHIRModel", nio("NIOCore")]),
        // Stories are told to the tables too.
        tests("Domain", "Workflow", ["TestSupport", "Workflow", "Access", "SQLStore"]),
        tests("Domain", "Access", ["Access"]),
        tests(
            "Translation", "HL7Translation",
            ["TestSupport", "HL7Translation", "Basics", "HL7v2", "Workflow", "Access"]),
        tests(
            "Translation", "DICOMTranslation",
            [
                "TestSupport", "DICOMTranslation", "Basics", "DICOMData", "DICOMPixels", "PixelCodecs", "Workflow",
                "Access",
            ]),
        tests(
            "Translation", "FHIRResources",
            ["TestSupport", "FHIRResources", "SQLStore", "FHIRModel", "FHIRSearch", "Workflow", "Access"]),
        tests(
            "Storage", "SQLStore",
            [
                "TestSupport",
                "SQLStore", "Workflow", "Access", "DICOMData", "FHIRModel", "FHIRSearch", "FHIRResources", logging,
            ]),
        tests("Storage", "BlobStore", ["BlobStore", "Workflow", "Cryptography"]),
        tests(
            "Network", "Admission",
            ["TestSupport", "Admission", "Access", nio("NIOCore"), nio("NIOPosix"), nio("NIOEmbedded"), nioSSL]),
        tests(
            "Adapters", "MLLPAdapter",
            [
                "TestSupport",
                "MLLPAdapter", "Admission", "HL7v2", "HL7Translation", "Workflow", "Access", nio("NIOCore"),
                nio("NIOPosix"), nio("NIOEmbedded"), nioSSL,
                logging, lifecycle,
            ]),
        tests(
            "Adapters", "DIMSEAdapter",
            [
                "TestSupport",
                "DIMSEAdapter", "Admission", "DICOMData", "DICOMNetwork", "DICOMTranslation", "PixelCodecs", "Workflow",
                "Access", nio("NIOCore"), nio("NIOPosix"), nio("NIOEmbedded"), nioSSL, logging, lifecycle,
            ]),
        tests(
            "Adapters", "PixelAdapter",
            ["PixelAdapter", "PixelCodecs", "DICOMPixels", "DICOMData", "CPixelSandbox", logging]),
        tests(
            "Adapters", "OutboundAdapter",
            [
                "TestSupport", "OutboundAdapter", "Access", "Basics", "Cryptography", "DICOMData", "DICOMTranslation",
                "PixelCodecs", "Workflow", nio("NIOCore"), nio("NIOPosix"), nio("NIOHTTP1"), nioSSL, asyncHTTPClient,
            ]),
        tests(
            "API", "HTTPSupport",
            [
                "TestSupport",
                "HTTPSupport", "Access", "Admission", hummingbird,
                .product(name: "HummingbirdCore", package: "hummingbird"), httpTypes, httpTypesNIO, logging,
                nio("NIOCore"), nio("NIOPosix"), nio("NIOHTTP1"), nio("NIOEmbedded"),
            ]),
        tests(
            "API", "SMARTAPI",
            [
                "TestSupport", "SMARTAPI", "HTTPSupport", "Access", "Basics", "Cryptography", hummingbird, httpTypes,
                nio("NIOCore"), nio("NIOPosix"),
            ]),
        tests("API", "ViewerAPI", ["TestSupport", "ViewerAPI", "HTTPSupport", "Access", httpTypes]),
        tests("API", "ContractAPI", ["TestSupport", "ContractAPI", "HTTPSupport", "Access", httpTypes]),
        tests("API", "OpsAPI", ["OpsAPI", "HTTPSupport", "Access", "Workflow", httpTypes, metrics]),
        tests(
            "API", "FHIRAPI",
            [
                "TestSupport",
                "FHIRAPI", "HTTPSupport", "SQLStore", "BlobStore", "Access", "FHIRModel", "FHIRSearch", "FHIRResources",
                "Workflow",
                httpTypes, nio("NIOCore"),
            ]),
        tests(
            "API", "DICOMwebAPI",
            [
                "TestSupport",
                "DICOMwebAPI", "HTTPSupport", "Access", "DICOMData", "DICOMPixels", "DICOMRendering",
                "DICOMTranslation", "PixelCodecs", "Workflow", hummingbird, httpTypes, nio("NIOCore"),
            ]),
        tests(
            "API", "Contract",
            [
                "TestSupport",
                "HTTPSupport", "FHIRAPI", "DICOMwebAPI", "SMARTAPI", "OpsAPI", "ViewerAPI", "ContractAPI", "SQLStore",
                "BlobStore",
                "FHIRResources", "DICOMTranslation", "PixelCodecs", "Workflow", "Access", "FHIRModel", hummingbird,
                httpTypes, nio("NIOCore"), yams,
            ]),
        .testTarget(
            name: "TidyTests", dependencies: [], path: "Tests/TidyTests", swiftSettings: strict),
        .testTarget(
            name: "JourneyTests",
            dependencies: [
                "TestSupport", "DICOMData", "DICOMNetwork", "HL7v2", "FHIRModel", nio("NIOCore"), nio("NIOPosix"),
                nio("NIOHTTP1"),
                nio("NIOTLS"), nioSSL,
                "Basics", "Cryptography", asyncHTTPClient, "DICOMPixels", "DICOMRendering", "PixelCodecs",
                "PixelAdapter", logging,
            ],
            path: "Tests/Server/JourneyTests", swiftSettings: strict),
        tests("Server", "Demo", ["hilum", "DICOMData", "HL7v2"]),
        tests(
            "Server", "Server",
            [
                "TestSupport", "hilum", "OpsAPI", "HTTPSupport", "Admission", "HL7Translation", "MLLPAdapter",
                "OutboundAdapter", "SQLStore",
                "FHIRResources", "Workflow", "Access", "Basics", "Cryptography", "DICOMData", "DICOMTranslation",
                "DICOMwebAPI", logging,
                lifecycle, nio("NIOCore"), nio("NIOPosix"), nioSSL, "FHIRAPI", "FHIRSearch",
            ]),
    ],
    swiftLanguageModes: [.v6]
)
