/// The members of a JSON object in order, each name once.
///
/// Lookup walks the members: FHIR objects have a handful. Names compare by their bytes, not by canonical equivalence.
package struct JSONObject: Sendable, Hashable {
    package struct Member: Sendable, Hashable {
        package var name: String
        package var value: JSONValue
    }

    package private(set) var members: [Member] = []

    package init() {}

    /// The members in order; of a repeated name the last value wins, in the first one's place.
    package init(_ pairs: some Sequence<(String, JSONValue)>) {
        for (name, value) in pairs { self[name] = value }
    }

    package var isEmpty: Bool { members.isEmpty }
    package var count: Int { members.count }
    package var names: [String] { members.map(\.name) }

    /// The value called `name`. Setting nil removes the member; setting a value keeps its place or appends it.
    package subscript(name: String) -> JSONValue? {
        get { position(of: name).map { members[$0].value } }
        set {
            switch (position(of: name), newValue) {
            case (let at?, let value?): members[at].value = value
            case (let at?, nil): members.remove(at: at)
            case (nil, let value?): members.append(Member(name: name, value: value))
            case (nil, nil): break
            }
        }
    }

    /// Puts a member at `position`, clamped to the ends; a member of that name is moved there.
    package mutating func insert(_ name: String, _ value: JSONValue, at position: Int) {
        self[name] = nil
        members.insert(Member(name: name, value: value), at: min(max(position, 0), members.count))
    }

    /// Where the member called `name` stands; nil when there is none.
    package func position(of name: String) -> Int? {
        members.firstIndex { $0.name.utf8.elementsEqual(name.utf8) }
    }
}
