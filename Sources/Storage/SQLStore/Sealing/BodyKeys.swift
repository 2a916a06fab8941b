import Basics

/// What seals the bodies of one store, of its keys: the newest seals, the others open what was sealed before.
package struct BodyKeys: Sendable {
    package struct Key: Sendable {
        /// 8 bytes: the public name of the store's key that this one comes from.
        package let id: [UInt8]
        /// 32 bytes.
        let secret: [UInt8]

        /// - Parameters:
        ///   - id: 8 bytes.
        ///   - secret: 32 bytes.
        package init(id: [UInt8], secret: [UInt8]) {
            precondition(id.count == Key.idBytes && secret.count == 32, "not a key of bodies")
            self.id = id
            self.secret = secret
        }

        package static let idBytes = 8
        /// ``id`` as 16 hexadecimal digits: may be told.
        package var name: String { Hexadecimal.encode(id) }
    }

    let current: Key
    private let others: [Key]

    package init(current: Key, others: [Key] = []) {
        self.current = current
        self.others = others
    }

    /// These with others that open; what seals stays.
    func joined(by more: BodyKeys) -> BodyKeys {
        BodyKeys(current: current, others: others + ([more.current] + more.others).filter { key($0.id) == nil })
    }

    func key(_ id: some Sequence<UInt8>) -> Key? {
        current.id.elementsEqual(id) ? current : others.first { $0.id.elementsEqual(id) }
    }
}

/// How bodies lie in a database: see ``BodySeal`` and decision 0043.
package struct BodySealing: Sendable {
    /// Whether what is written is sealed. What lies there is read by what it is.
    package var isOn = false
    /// The store's keys; nil where it has none. Asked when a key is first needed, and again when something is sealed under
    /// one that is not known: another process may have made it. Blocks, on a thread of the database.
    package var keys: @Sendable () throws -> BodyKeys? = { nil }

    /// Whether a database does not open without the keys that its bodies are sealed under.
    package var needsKeys = true

    package init() {}

    /// For work that reads and writes no body.
    package static let untouched: BodySealing = {
        var sealing = BodySealing()
        sealing.needsKeys = false
        return sealing
    }()

    package init(isOn: Bool, keys: @escaping @Sendable () throws -> BodyKeys?) {
        self.isOn = isOn
        self.keys = keys
    }
}
