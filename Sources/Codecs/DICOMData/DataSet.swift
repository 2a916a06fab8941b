/// A data set: elements in ascending order of their tags, each tag at most once. PS3.5 §7.
///
/// Values are kept as the bytes of the wire, so that an element that nobody touched is written as it was read; text is
/// decoded when asked for. An item of a sequence is a `DataSet` too and knows the character set it inherits.
package struct DataSet: Sendable, Equatable {
    /// Ascending by tag, without duplicates.
    package private(set) var elements: [DataElement] = []
    /// The character set of the text: that of (0008,0005) here, else the one inherited. PS3.5 §6.1.2.
    package private(set) var characterSet: SpecificCharacterSet
    private(set) var inheritedCharacterSet: SpecificCharacterSet

    package init() { self.init(inheriting: .defaultRepertoire) }

    /// An empty item of a data set with this character set.
    package init(inheriting characterSet: SpecificCharacterSet) {
        self.characterSet = characterSet
        inheritedCharacterSet = characterSet
    }

    package static func == (a: DataSet, b: DataSet) -> Bool {
        a.characterSet == b.characterSet && a.elements == b.elements
    }

    package var isEmpty: Bool { elements.isEmpty }

    /// The element of a tag. Setting one with items brings them into this data set's character set; setting
    /// (0008,0005) here only relabels: `convert(to:)` changes the bytes too.
    package subscript(_ tag: Tag) -> DataElement? {
        get { position(of: tag).map { elements[$0] } }
        set {
            guard let newValue else { return remove(tag) }
            var element = newValue
            element.tag = tag
            if case .items(let items) = element.value { element.value = .items(adopt(items)) }
            put(element)
        }
    }

    package func contains(_ tag: Tag) -> Bool { position(of: tag) != nil }

    package mutating func remove(_ tag: Tag) {
        guard let position = position(of: tag) else { return }
        elements.remove(at: position)
        if tag == .specificCharacterSet { relabel() }
    }

    /// Removes the elements that do not pass.
    package mutating func removeAll(where drop: (DataElement) -> Bool) {
        elements.removeAll(where: drop)
        relabel()
    }

    /// Puts every element of another data set into this one, replacing those of the same tag.
    package mutating func merge(_ other: DataSet) {
        var other = other
        if other.characterSet != characterSet {
            if isEmpty {
                self[.specificCharacterSet] = other[.specificCharacterSet]
            } else {
                other.convert(to: characterSet)
            }
        }
        for element in other.elements where element.tag != .specificCharacterSet { self[element.tag] = element }
    }

    /// Brings all text, also that of items, into another character set and says so in (0008,0005). Returns false when
    /// characters were replaced by `?` because the set lacks them.
    @discardableResult
    package mutating func convert(to target: SpecificCharacterSet) -> Bool {
        let complete = convertText(to: target)
        if target.terms.isEmpty {
            remove(.specificCharacterSet)
        } else {
            put(DataElement(.specificCharacterSet, .CS, bytes: Array(target.description.utf8)))
        }
        characterSet = target
        return complete
    }

    // MARK: - Building in order

    /// Adds what a decoder read, items already in place. Out of order or repeated tags are put where they belong; of
    /// repeated ones the last counts. Gives what that cost beside the element itself: elements that made room for it, and
    /// items that it gave another character set.
    @discardableResult
    mutating func put(_ element: DataElement) -> Int {
        var cost = 0
        if let last = elements.last, last.tag < element.tag {
            elements.append(element)
        } else if elements.isEmpty {
            elements.append(element)
        } else {
            let position = insertionPoint(element.tag)
            if position < elements.count, elements[position].tag == element.tag {
                elements[position] = element
            } else {
                cost = elements.count - position
                elements.insert(element, at: position)
            }
        }
        if element.tag == .specificCharacterSet { cost += relabel() }
        return cost
    }

    mutating func reserveCapacity(_ count: Int) { elements.reserveCapacity(count) }

    // MARK: - Character sets

    /// Reads (0008,0005) anew and hands it down; gives how many elements and items were looked at for that.
    @discardableResult
    private mutating func relabel() -> Int {
        var characterSet = inheritedCharacterSet
        if let bytes = self[.specificCharacterSet]?.bytes {
            characterSet = SpecificCharacterSet(
                terms: bytes.split(separator: 0x5C, omittingEmptySubsequences: false).map {
                    String(decoding: trimmedSpaces($0, leading: true), as: UTF8.self)
                })
        }
        guard characterSet != self.characterSet else { return 0 }
        self.characterSet = characterSet
        var cost = elements.count
        for index in elements.indices {
            guard case .items(var items) = elements[index].value else { continue }
            cost += items.count
            for item in items.indices { cost += items[item].inherit(characterSet) }
            elements[index].value = .items(items)
        }
        return cost
    }

    @discardableResult
    private mutating func inherit(_ characterSet: SpecificCharacterSet) -> Int {
        inheritedCharacterSet = characterSet
        return relabel()
    }

    /// Items in this data set's character set. Where that lacks a character of one of them, or one is in UTF-8 and
    /// nothing was said here, the whole data set goes to UTF-8. An item that names another character set keeps it.
    private mutating func adopt(_ items: [DataSet]) -> [DataSet] {
        let needsUTF8 = items.contains { item in
            if item.contains(.specificCharacterSet) {
                return item.characterSet == .utf8 && characterSet == .defaultRepertoire
            }
            var item = item
            return !item.convertText(to: characterSet, dryRun: true)
        }
        if needsUTF8 { convert(to: .utf8) }
        return items.map { item in
            var item = item
            if item.contains(.specificCharacterSet), item.characterSet != characterSet {
                item.inheritedCharacterSet = characterSet
            } else {
                item.convertText(to: characterSet)
                item.elements.removeAll { $0.tag == .specificCharacterSet }
                item.inheritedCharacterSet = characterSet
                item.characterSet = characterSet
            }
            return item
        }
    }

    @discardableResult
    private mutating func convertText(to target: SpecificCharacterSet, dryRun: Bool = false) -> Bool {
        guard target != characterSet else { return true }
        var complete = true
        for index in elements.indices {
            let vr = elements[index].vr
            switch elements[index].value {
            case .bytes(let bytes) where vr.usesSpecificCharacterSet && bytes.contains { $0 >= 0x80 || $0 == 0x1B }:
                let delimiters = SpecificCharacterSet.Delimiters(vr)
                let text = characterSet.decode(trimmedSpaces(bytes[...], leading: false), delimiters)
                let encoded = target.encode(text, delimiters)
                if encoded == nil { complete = false }
                if dryRun { continue }
                elements[index] = DataElement(
                    elements[index].tag, vr,
                    bytes: encoded
                        ?? text.unicodeScalars.flatMap {
                            target.encode(String($0), delimiters) ?? [0x3F]
                        })
            case .items(var items):
                for item in items.indices where !items[item].contains(.specificCharacterSet) {
                    if !items[item].convertText(to: target, dryRun: dryRun) { complete = false }
                    if !dryRun {
                        items[item].inheritedCharacterSet = target
                        items[item].characterSet = target
                    }
                }
                if !dryRun { elements[index].value = .items(items) }
            default:
                continue
            }
        }
        return complete
    }

    // MARK: - Search

    private func position(of tag: Tag) -> Int? {
        let position = insertionPoint(tag)
        return position < elements.count && elements[position].tag == tag ? position : nil
    }

    /// The first position whose tag is not below.
    private func insertionPoint(_ tag: Tag) -> Int {
        var low = 0
        var high = elements.count
        while low < high {
            let middle = (low + high) / 2
            if elements[middle].tag < tag { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
