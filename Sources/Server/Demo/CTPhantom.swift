/// A made-up chest of ellipsoids, as CT slices: the same bytes for the same slice on every machine.
///
/// *Shape:* 512 × 512 pixels of 16 bits, little endian, rows from anterior to posterior; 12 bits are used.
/// *Unit:* a stored value minus 1024 is a Hounsfield unit (PS3.3 §C.8.2.1).
package struct CTPhantom: Sendable, Hashable {
    /// Rows and columns of a slice.
    package static let side = 512
    /// Millimetres from pixel to pixel.
    package static let pixelSpacing = 0.7
    /// Stored value of 0 HU; (0028,1052) is its negative.
    package static let offset = 1024

    package var sliceCount: Int
    /// Millimetres from slice to slice.
    package var sliceSpacing: Double

    package init(sliceCount: Int, sliceSpacing: Double) {
        self.sliceCount = sliceCount
        self.sliceSpacing = sliceSpacing
    }

    /// Millimetres of a slice along the patient, 0 in the middle of the series.
    package func position(ofSlice slice: Int) -> Double {
        (Double(slice) - Double(sliceCount - 1) / 2) * sliceSpacing
    }

    /// The pixel data of a slice, 524288 bytes.
    package func pixels(ofSlice slice: Int) -> [UInt8] {
        let height = position(ofSlice: slice)
        var values = [Int16](repeating: -1000, count: Self.side * Self.side)
        for body in Self.bodies { body.fill(&values, at: height) }
        var noise = PhantomNoise(seed: PhantomNoise.seed("slice at \(Int((height * 100).rounded()))"))
        noise.disturb(&values, strength: 6)
        var bytes = [UInt8](repeating: 0, count: values.count * 2)
        for index in values.indices {
            let stored = UInt16(min(max(Int(values[index]) + Self.offset, 0), 4095))
            bytes[index * 2] = UInt8(truncatingIfNeeded: stored)
            bytes[index * 2 + 1] = UInt8(truncatingIfNeeded: stored >> 8)
        }
        return bytes
    }

    /// The diameter of the nodule that the demo's report measures, in millimetres.
    package static let noduleDiameter = 12.4

    /// An ellipsoid of one density; later ones lie over earlier ones. Lengths in millimetres from the centre.
    struct Ellipsoid {
        var x: Double
        var y: Double
        var z: Double
        var radiusX: Double
        var radiusY: Double
        var radiusZ: Double
        /// Hounsfield units.
        var density: Int16

        /// Paints its cut at `height` into a slice, row by row.
        func fill(_ values: inout [Int16], at height: Double) {
            let along = (height - z) / radiusZ
            let share = 1 - along * along
            guard share > 0 else { return }
            let side = CTPhantom.side
            let centre = Double(side - 1) / 2
            for row in 0..<side {
                let across = ((Double(row) - centre) * CTPhantom.pixelSpacing - y) / radiusY
                let rest = share - across * across
                guard rest > 0 else { continue }
                let half = rest.squareRoot() * radiusX / CTPhantom.pixelSpacing
                let middle = centre + x / CTPhantom.pixelSpacing
                let first = max(0, Int((middle - half).rounded(.up)))
                let last = min(side - 1, Int((middle + half).rounded(.down)))
                guard first <= last else { continue }
                for column in first...last { values[row * side + column] = density }
            }
        }
    }

    /// Skin to skin: fat, muscle, lungs, heart, aorta, spine, ribs of a kind, and one nodule in the right lung.
    private static let bodies: [Ellipsoid] = [
        Ellipsoid(x: 0, y: 0, z: 0, radiusX: 165, radiusY: 118, radiusZ: 400, density: -90),
        Ellipsoid(x: 0, y: 0, z: 0, radiusX: 150, radiusY: 104, radiusZ: 390, density: 45),
        Ellipsoid(x: -72, y: -4, z: 0, radiusX: 58, radiusY: 82, radiusZ: 130, density: -820),
        Ellipsoid(x: 72, y: -4, z: 0, radiusX: 56, radiusY: 80, radiusZ: 125, density: -820),
        Ellipsoid(x: 16, y: -28, z: -22, radiusX: 48, radiusY: 42, radiusZ: 52, density: 40),
        Ellipsoid(x: 20, y: -30, z: -20, radiusX: 26, radiusY: 24, radiusZ: 34, density: 130),
        Ellipsoid(x: 18, y: 44, z: 0, radiusX: 12, radiusY: 12, radiusZ: 300, density: 130),
        Ellipsoid(x: 0, y: 68, z: 0, radiusX: 20, radiusY: 17, radiusZ: 300, density: 420),
        Ellipsoid(x: 0, y: 90, z: 0, radiusX: 6, radiusY: 16, radiusZ: 300, density: 520),
        Ellipsoid(x: 0, y: 64, z: 0, radiusX: 9, radiusY: 7, radiusZ: 300, density: 180),
        Ellipsoid(x: 0, y: -98, z: 0, radiusX: 17, radiusY: 6, radiusZ: 100, density: 380),
        Ellipsoid(x: -136, y: 8, z: -12, radiusX: 6, radiusY: 38, radiusZ: 22, density: 560),
        Ellipsoid(x: 136, y: 8, z: -12, radiusX: 6, radiusY: 38, radiusZ: 22, density: 560),
        Ellipsoid(x: 0, y: -14, z: 40, radiusX: 9, radiusY: 8, radiusZ: 38, density: -990),
        Ellipsoid(
            x: -84, y: 12, z: 6, radiusX: noduleDiameter / 2, radiusY: noduleDiameter / 2, radiusZ: noduleDiameter / 2,
            density: 35),
    ]
}
