import DICOMData

/// Attributes of one frame: from the functional groups of that frame, else from the shared ones, else from the data set
/// itself. PS3.3 §C.7.6.16.
struct FrameAttributes: Sendable {
    private let header: DataSet
    private let shared: DataSet?
    private let perFrame: [DataSet]

    init(_ header: DataSet) {
        self.header = header
        shared = header.item(.sharedFunctionalGroupsSequence)
        perFrame = header.items(.perFrameFunctionalGroupsSequence)
    }

    /// The data set that holds the attributes of a functional group for a frame, from 1.
    func group(_ sequence: Tag, frame: Int) -> DataSet {
        if perFrame.indices.contains(frame - 1), let item = perFrame[frame - 1].item(sequence) { return item }
        return shared?.item(sequence) ?? header
    }

    /// The windows of a frame, in order. PS3.3 §C.11.2.1.2.
    func windows(frame: Int) -> [VOIWindow] {
        let group = group(.frameVOILUTSequence, frame: frame)
        let function = group.string(.voilutFunction).flatMap { VOIWindow.Function(rawValue: $0) } ?? .linear
        return zip(group.doubles(.windowCenter), group.doubles(.windowWidth)).compactMap { center, width in
            VOIWindow(center: center, width: width, function: function)
        }
    }

    /// Slope and intercept of a frame; nil when there are none, or they are no numbers to be used.
    func rescale(frame: Int) -> (slope: Double, intercept: Double)? {
        let group = group(.pixelValueTransformationSequence, frame: frame)
        guard let slope = group.double(.rescaleSlope), let intercept = group.double(.rescaleIntercept), slope != 0,
            slope.magnitude <= 1e15, intercept.magnitude <= 1e15
        else { return nil }
        return (slope, intercept)
    }

    /// The height of a pixel by its width, 1 where nothing is said, or nothing sensible.
    /// PS3.3 §C.7.6.3.1.7, §10.7.1.3.
    func aspect(frame: Int) -> Double {
        let group = group(.pixelMeasuresSequence, frame: frame)
        for numbers in [header.doubles(.pixelAspectRatio), group.doubles(.pixelSpacing)] {
            guard numbers.count == 2, numbers[0] > 0, numbers[1] > 0 else { continue }
            let ratio = numbers[0] / numbers[1]
            if (1 / 16...16).contains(ratio) { return (ratio - 1).magnitude < 0.001 ? 1 : ratio }
        }
        return 1
    }

    /// The shutter of a frame; nil for none.
    func shutter(frame: Int) -> DisplayShutter? { DisplayShutter(group(.frameDisplayShutterSequence, frame: frame)) }
}
