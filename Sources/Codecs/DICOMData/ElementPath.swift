/// Where an element stands in a data set: the items to go through and its tag. Written as DICOMweb attribute paths with
/// item numbers, `54000100.0.54001010`; items count from 0.
package struct ElementPath: Hashable, Sendable, CustomStringConvertible {
    package struct Step: Hashable, Sendable {
        package let sequence: Tag
        package let item: Int

        package init(sequence: Tag, item: Int) {
            self.sequence = sequence
            self.item = item
        }
    }

    package var steps: [Step]
    package var tag: Tag

    package init(_ tag: Tag, in steps: [Step] = []) {
        self.tag = tag
        self.steps = steps
    }

    /// Reads the form that `description` gives; nil for any other and for more than 16 sequences.
    package init?(text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count % 2 == 1, parts.count <= 33, let last = parts.last, let tag = Tag(hex: last) else {
            return nil
        }
        var steps: [Step] = []
        for index in stride(from: 0, to: parts.count - 1, by: 2) {
            guard let sequence = Tag(hex: parts[index]), let item = Int(parts[index + 1]), item >= 0 else { return nil }
            steps.append(Step(sequence: sequence, item: item))
        }
        self.init(tag, in: steps)
    }

    package var description: String {
        steps.map { "\($0.sequence.hex).\($0.item)." }.joined() + tag.hex
    }
}

extension DataSet {
    /// The element at a path, nil when an item or the element is not there.
    package func element(at path: ElementPath) -> DataElement? { dataSet(holding: path)?[path.tag] }

    /// The data set, this one or an item, that the last tag of a path is in; nil when an item is not there.
    package func dataSet(holding path: ElementPath) -> DataSet? {
        var dataSet = self
        for step in path.steps {
            guard let items = dataSet[step.sequence]?.items, step.item < items.count else { return nil }
            dataSet = items[step.item]
        }
        return dataSet
    }
}
