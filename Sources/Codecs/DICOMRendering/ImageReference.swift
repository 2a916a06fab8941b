import DICOMData

/// An image that another object refers to, and which of its frames. PS3.3 §10.3.
package struct ImageReference: Sendable, Equatable {
    package let sopInstanceUID: String
    /// From 1, in order; empty for all of them.
    package let frames: [Int]

    package init(_ sopInstanceUID: String, frames: [Int] = []) {
        self.sopInstanceUID = sopInstanceUID
        self.frames = frames
    }

    /// Of an item of a Referenced Image or SOP Sequence; nil for one that names no instance, or frames of which none can
    /// be: those are not all of them.
    init?(_ item: DataSet) {
        guard let uid = item.uid(.referencedSOPInstanceUID), UID.isSafe(uid) else { return nil }
        let frames = item.ints(.referencedFrameNumber).filter { (1...0x7FFF_FFFF).contains($0) }
        let namesNone =
            item.bytes(.referencedFrameNumber).map { $0.allSatisfy { $0 == 0x20 || $0 == 0 } }
            ?? !item.contains(.referencedFrameNumber)
        guard !frames.isEmpty || namesNone else { return nil }
        self.init(uid, frames: frames)
    }
}

/// The images that an item of a presentation state is for. PS3.3 §C.11.8.
struct Applicability: Sendable {
    /// Frames of each image, empty for all of them; nil where the item is for every image.
    private let frames: [String: Set<Int>]?

    /// Of the Referenced Image Sequence of an item.
    init(_ item: DataSet) {
        guard item.contains(.referencedImageSequence) else {
            frames = nil
            return
        }
        var frames: [String: Set<Int>] = [:]
        for reference in item.items(.referencedImageSequence).compactMap({ ImageReference($0) }) {
            guard !reference.frames.isEmpty, frames[reference.sopInstanceUID]?.isEmpty != true else {
                frames[reference.sopInstanceUID] = []
                continue
            }
            frames[reference.sopInstanceUID, default: []].formUnion(reference.frames)
        }
        self.frames = frames
    }

    func includes(_ sopInstanceUID: String, frame: Int) -> Bool {
        guard let frames else { return true }
        guard let numbers = frames[sopInstanceUID] else { return false }
        return numbers.isEmpty || numbers.contains(frame)
    }
}
