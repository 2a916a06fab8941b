import Basics

/// Writes the small JSON documents of discovery, tokens and operations: UTF-8 without white space, members in the order of
/// the calls. That the names of an object differ is the caller's business. RFC 8259. Resources have their own writer in
/// FHIRModel.
package struct JSONText: Sendable {
    /// What was written so far.
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    /// Nothing yet: the first call of ``object(_:_:)`` or ``array(_:_:)``, without a name, makes the document.
    package init() { bytes.reserveCapacity(256) }

    /// An object, here or as a member.
    package mutating func object(_ name: String? = nil, _ content: (inout JSONText) -> Void) {
        enclosed(name, UInt8(ascii: "{"), UInt8(ascii: "}"), content)
    }
    /// An array, here or as a member.
    package mutating func array(_ name: String? = nil, _ content: (inout JSONText) -> Void) {
        enclosed(name, UInt8(ascii: "["), UInt8(ascii: "]"), content)
    }
    package mutating func member(_ name: String, _ value: String) {
        begin(name)
        string(value)
    }
    package mutating func member(_ name: String, _ value: Int) {
        begin(name)
        bytes.append(contentsOf: String(value).utf8)
    }
    package mutating func member(_ name: String, _ value: Bool) {
        begin(name)
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }
    package mutating func member(_ name: String, _ values: [String]) {
        array(name) { json in for value in values { json.element(value) } }
    }
    /// A member whose value is JSON as it stands.
    package mutating func member(_ name: String, json: some Sequence<UInt8>) {
        begin(name)
        bytes.append(contentsOf: json)
    }
    /// A string element of an array.
    package mutating func element(_ value: String) {
        begin(nil)
        string(value)
    }

    private mutating func enclosed(_ name: String?, _ open: UInt8, _ close: UInt8, _ content: (inout JSONText) -> Void)
    {
        begin(name)
        bytes.append(open)
        needsComma = false
        content(&self)
        bytes.append(close)
        needsComma = true
    }

    private mutating func begin(_ name: String?) {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
        guard let name else { return }
        string(name)
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func string(_ text: String) { JSONQuoting.append(text, to: &bytes) }
}
