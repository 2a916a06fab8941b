import DICOMData

/// Where the images of some equipment have text burned in. PS3.15 §E.3.1.
package struct PixelRule: Sendable, Equatable {
    /// A rectangle in pixels, columns from the left and rows from the top counted from 0. What lies outside the image
    /// is left out.
    package struct Region: Sendable, Equatable {
        package let column: Int
        package let row: Int
        package let width: Int
        package let height: Int

        package init(column: Int, row: Int, width: Int, height: Int) {
            (self.column, self.row, self.width, self.height) = (column, row, width, height)
        }
    }

    /// What the image must say, in any case of letters; an attribute that is not named may say anything.
    package var attributes: [Tag: String]
    package var regions: [Region]

    package init(attributes: [Tag: String], regions: [Region]) {
        self.attributes = attributes
        self.regions = regions
    }
}
