import DICOMData

/// What all queries make of an identifier: its elements are keys, and its response has the same elements.
/// PS3.4 §C.4.1.1.3.
enum IdentifierSelection {
    /// No key: what says how the identifier is coded.
    static func isAside(_ tag: Tag) -> Bool { tag == .specificCharacterSet || tag.isGroupLength }

    /// Whether nothing is asked of what is found. PS3.4 §C.2.2.2.3.
    static func isUniversal(_ item: DataSet) -> Bool {
        item.elements.allSatisfy { element in
            if let items = element.items { return items.allSatisfy(isUniversal) }
            return isAside(element.tag) || isUniversal(element.text(in: item))
        }
    }

    static func isUniversal(_ text: String) -> Bool { text.allSatisfy { $0 == "*" } }

    /// The elements that were asked for, each present, and the character set. A sequence asked for without an item, or
    /// with an empty one, is returned whole.
    static func select(_ full: DataSet, by asked: DataSet) -> DataSet { select(full, by: asked, isRoot: true) }

    private static func select(_ full: DataSet, by asked: DataSet, isRoot: Bool) -> DataSet {
        var out = DataSet()
        if isRoot, let charset = full[.specificCharacterSet] { out[.specificCharacterSet] = charset }
        for element in asked.elements where !isAside(element.tag) {
            guard let found = full[element.tag] else {
                out.setEmpty(element.tag, element.vr)
                continue
            }
            if let items = found.items, let askedItem = element.items?.first, !askedItem.isEmpty {
                out.set(element.tag, items: items.map { select($0, by: askedItem, isRoot: false) })
            } else {
                out[element.tag] = found
            }
        }
        return out
    }
}

extension DataElement {
    /// All values of a key, divided as they came.
    func text(in dataSet: DataSet) -> String { dataSet.strings(self).joined(separator: "\\") }
}
