/// The files of `openapi/`, which are built into the program: `Assets` holds links to them.
enum ContractFiles {
    /// By name, in the order in which a reader meets them.
    static let all: [(name: String, bytes: [UInt8])] = [
        ("fhir", PackageResources.fhir_yaml), ("dicomweb", PackageResources.dicomweb_yaml),
        ("smart", PackageResources.smart_yaml), ("launches", PackageResources.launches_yaml),
        ("cds-hooks", PackageResources.cds_hooks_yaml),
        ("account", PackageResources.account_yaml), ("viewer", PackageResources.viewer_yaml),
        ("operations", PackageResources.operations_yaml), ("ops", PackageResources.ops_yaml),
        ("messages", PackageResources.messages_yaml), ("outbox", PackageResources.outbox_yaml),
        ("contract", PackageResources.contract_yaml),
    ]

    /// Read at first use, some milliseconds for each, and kept.
    static let documents: [ContractDocument] = all.compactMap { file in
        ContractDocument(name: file.name, yaml: String(decoding: file.bytes, as: UTF8.self))
    }
}
