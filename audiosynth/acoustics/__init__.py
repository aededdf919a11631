"""Room acoustics as array maths: images, diffuse sound, heads, arrays, air and walls."""
