import DICOMData
import Workflow

/// The storage classes that a C-GET proposes: an association has room for 128 contexts, and there are more classes than
/// that. What is of another class comes by C-MOVE.
enum FetchedClasses {
    /// Those that archives hold, 63 of them: each is proposed twice.
    static let all: [String] = suffixes.map { "1.2.840.10008.5.1.4.1.1." + $0 }

    /// Behind the root of all storage classes. PS3.4 Table B.5-1.
    private static let suffixes = [
        "1", "1.1", "1.1.1", "1.2", "1.2.1", "1.3", "1.3.1", "2", "2.1", "3.1", "4", "4.1", "4.2", "6.1", "6.2", "7",
        "7.1", "7.2", "7.3", "7.4", "9.1.1", "9.1.2", "9.2.1", "11.1", "11.2", "12.1", "12.1.1", "12.2", "12.2.1",
        "13.1.1", "13.1.3", "20", "30", "66", "66.1", "66.2", "66.3", "66.4", "67", "77.1.1", "77.1.1.1", "77.1.2",
        "77.1.4", "77.1.4.1", "77.1.5.1", "77.1.5.2", "77.1.5.4", "77.1.6", "88.11", "88.22", "88.33", "88.34",
        "88.50", "88.59", "88.65", "88.67", "104.1", "128", "130", "481.1", "481.2", "481.3", "481.5",
    ]

    /// Each class once without compression and once with: a peer accepts one transfer syntax of a context, and what it
    /// has in another form than that it cannot send. PS3.8 §9.3.3.2.
    static func proposals(to archive: Peer) -> [(sopClassUID: String, transferSyntaxes: [String])] {
        let known = archive.transferSyntaxes.isEmpty ? TransferSyntax.all.map(\.uid) : archive.transferSyntaxes
        let syntaxes = known.compactMap { TransferSyntax(uid: $0) }.filter { !$0.isDeflated }
        let forms = [syntaxes.filter { !$0.isEncapsulated }, syntaxes.filter(\.isEncapsulated)].filter { !$0.isEmpty }
        return all.flatMap { uid in forms.map { (sopClassUID: uid, transferSyntaxes: $0.map(\.uid)) } }
    }
}
