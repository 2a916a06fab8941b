import Workflow

/// What the blobs folder says of the store it belongs to: the file `store.mark`, lines of a word and a value.
///
///     hilum-store 1
///     store <the database's store id>
///     tenure <the last server that kept the folder>
///     next <the server that is about to>
///     master-key <16 hexadecimal digits: the public name of the key its blobs are under>
///     doubt <why nothing is swept until the folder was adopted>
///
/// It is written under another name, made durable and renamed.
package struct StoreMark: Sendable, Hashable {
    package var store: String
    package var tenure: String
    package var next: String?
    package var masterKey: String?
    package var doubt: Custody.Doubt?

    package static let fileName = "store.mark"
    /// More is no mark.
    static let bytesMax = 4096

    var encoded: [UInt8] {
        var lines = ["hilum-store 1", "store \(store)", "tenure \(tenure)"]
        if let next { lines.append("next \(next)") }
        if let masterKey { lines.append("master-key \(masterKey)") }
        if let doubt { lines.append("doubt \(doubt.rawValue)") }
        return Array(lines.map { $0 + "\n" }.joined().utf8)
    }

    package init(store: String, tenure: String, next: String?, masterKey: String?, doubt: Custody.Doubt?) {
        self.store = store
        self.tenure = tenure
        self.next = next
        self.masterKey = masterKey
        self.doubt = doubt
    }

    /// Nil for bytes that are no mark of version 1. A doubt that is not known is a doubt.
    init?(_ bytes: [UInt8]) {
        var values: [Substring: Substring] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            guard let space = line.firstIndex(of: " ") else { return nil }
            values[line[..<space]] = line[line.index(after: space)...]
        }
        guard values["hilum-store"] == "1", let store = values["store"], let tenure = values["tenure"] else {
            return nil
        }
        self.store = String(store)
        self.tenure = String(tenure)
        next = values["next"].map { String($0) }
        masterKey = values["master-key"].map { String($0) }
        doubt = values["doubt"].map { Custody.Doubt(rawValue: String($0)) ?? .parted }
    }
}
