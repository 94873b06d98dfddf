import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { wholeShare } from "../../format.js";
import { Demo } from "./demo.js";
import { samplePicture } from "./sample.js";
import "./paper.css";

/** The paper, section by section: what it says in our words, what the program does for it, and something to touch. */
export function PaperPage() {
  const [picture, setPicture] = useState<Blob>();
  const [url, setUrl] = useState<string>();
  const chooser = useRef<HTMLInputElement>(null);
  useEffect(() => {
    void samplePicture().then((sample) => setPicture((chosen) => chosen ?? sample));
  }, []);
  useEffect(() => {
    if (picture === undefined) return;
    const made = URL.createObjectURL(picture);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [picture]);
  return (
    <div class="paper">
      <div class="title">
        <h1>The paper</h1>
      </div>
      <p>
        “ImageNet Classification with Deep Convolutional Neural Networks” by Alex Krizhevsky, Ilya Sutskever and
        Geoffrey Hinton (2012) showed that a large network, trained on graphics cards with a few good ideas, tells a
        thousand kinds of things apart far better than anything before. Here are its ideas one by one. What moves is
        computed by the same code that trains.
      </p>
      <div class="own-picture">
        {url !== undefined && <img src={url} alt="What the examples below use" width={96} height={96} />}
        <div>
          <button type="button" class="button" onClick={() => chooser.current?.click()}>
            Use a picture of mine
          </button>
          <p class="soft">It is used by the examples below, and kept nowhere.</p>
          <input
            ref={chooser}
            class="hidden"
            type="file"
            accept="image/*"
            tabIndex={-1}
            aria-label="A picture of mine"
            onChange={({ currentTarget }) => {
              const file = currentTarget.files?.[0];
              if (file) setPicture(file);
            }}
          />
        </div>
      </div>

      <Idea
        section="2"
        title="Pictures of one size"
        program="Pictures of any kind are resized once so that their shorter side has 256 pixels, cut to the centre square, and stored. The mean of all training pictures is subtracted; nothing else is done to pixels."
      >
        A network with fully connected layers needs pictures of one size. The paper scales the shorter side to 256
        pixels, cuts the square out of the middle, and takes away the mean over the training set.
      </Idea>

      <Idea
        section="3.1"
        title="Rectified units"
        program="Every convolution and both hidden fully connected layers are followed by max(0, x)."
      >
        Units that answer max(0, x) learn several times faster than those that squash their sum with tanh: their slope
        never goes flat on the positive side. Without them, the authors say, networks of this size could not have been
        tried at all.
      </Idea>

      <Idea
        section="3.2"
        title="Two towers"
        program="The second, fourth and fifth convolution have two groups, each of which sees half of the feature maps: the network is the paper's, on one processor."
      >
        One card of 2012 had too little memory, so the network is cut into two halves that meet in only some of the
        layers. The halves end up looking for different things: one for edges without regard to colour, the other for
        colours.
      </Idea>

      <Idea
        section="3.3"
        title="Response normalisation"
        program="Exactly the paper's formula, its sum not divided by n, with k = 2, n = 5, alpha = 0.0001, beta = 0.75."
        demo={
          <Demo
            demo="norm"
            picture={picture}
            sliders={[
              { name: "k", label: "k", low: 0.5, high: 5, step: 0.1, start: 2 },
              { name: "n", label: "n, maps", low: 1, high: 15, step: 2, start: 5 },
              {
                name: "alpha",
                label: "alpha (power of ten)",
                low: -5,
                high: -1,
                step: 0.25,
                start: -4,
                show: (value) => (10 ** value).toPrecision(2),
              },
              { name: "beta", label: "beta", low: 0, high: 1.5, step: 0.05, start: 0.75 },
            ]}
          />
        }
      >
        A unit is damped by what its neighbours in other maps say at the same place, so that maps compete for being
        loud: b = a / (k + α Σ a²)<sup>β</sup>, the sum over n neighbouring feature maps. The paper counts 1.4 % fewer
        top-1 errors for it.
      </Idea>

      <Idea
        section="3.4"
        title="Overlapping pooling"
        program="Maxima over windows of 3x3, two apart."
        demo={
          <Demo
            demo="pooling"
            picture={picture}
            sliders={[
              { name: "size", label: "window", low: 2, high: 7, step: 1, start: 3 },
              { name: "stride", label: "step", low: 1, high: 7, step: 1, start: 2 },
            ]}
          />
        }
      >
        Pooling keeps the loudest of each neighbourhood. Windows that overlap, 3 wide and 2 apart, lose a little less
        than those that stand side by side: 0.4 % fewer top-1 errors, and somewhat less overfitting.
      </Idea>

      <Idea
        section="4.1"
        title="Crops and mirror images"
        program="Each picture is seen at a place and in a direction drawn anew in every epoch; in prediction the centre alone, or ten views averaged."
        demo={
          <Demo
            demo="crop"
            picture={picture}
            sliders={[
              { name: "left", label: "from the left", low: 0, high: 29, step: 1, start: 14 },
              { name: "top", label: "from the top", low: 0, high: 29, step: 1, start: 14 },
            ]}
            switches={[{ name: "mirrored", label: "mirrored", start: false }]}
          />
        }
      >
        A network of 60 million parameters learns a million pictures by heart. So it never sees the same one twice: a
        part of 227x227 is cut out of the 256x256 at random, and mirrored half of the time.
      </Idea>

      <Idea
        section="4.1"
        title="Colours that vary as light does"
        program="The principal components of the training set's colours, each times a normal draw of standard deviation 0.1, are added to every pixel of a picture."
        demo={
          <Demo
            demo="colour"
            picture={picture}
            sliders={[0, 1, 2].map((i) => ({
              name: `a${i}`,
              label: `component ${i + 1}`,
              low: -0.5,
              high: 0.5,
              step: 0.01,
              start: i === 0 ? 0.1 : 0,
              show: (value: number) => value.toFixed(2),
            }))}
          />
        }
      >
        What a thing is does not change with the light. All pixels of a picture are shifted along the directions in
        which colours vary the most over the whole set; that takes more than 1 % off the top-1 error. Below, the
        directions are those of the picture's own colours.
      </Idea>

      <Idea
        section="4.2"
        title="Dropout"
        program="Half of the units of fc6 and fc7 are dropped in each step of training, the others count twice; in prediction all speak."
        demo={
          <Demo
            demo="dropout"
            picture={picture}
            sliders={[
              {
                name: "rate",
                label: "share dropped",
                low: 0,
                high: 0.9,
                step: 0.05,
                start: 0.5,
                show: wholeShare,
              },
              { name: "seed", label: "draw", low: 1, high: 20, step: 1, start: 1 },
            ]}
          />
        }
      >
        In every step another half of the units keeps quiet. No unit can rely on a particular other one, so each has to
        be useful with many: as if very many networks that share their weights were averaged.
      </Idea>

      <Idea
        section="5"
        title="How it learns"
        program="v = 0.9 v − 0.0005 ε w − ε g, then w = w + v; the rate is divided by ten when the validation error stops improving. A running run has a button for doing it by hand."
      >
        Gradients of 128 pictures at a time, a momentum of 0.9, and a weight decay of 0.0005 that also lowers the
        training error. Weights begin as small noise, biases of the layers that would be silent at one. The authors
        watched, and lowered the rate three times.
      </Idea>

      <Idea
        section="6"
        title="What came out"
        program="Explore shows the same of your network: filters, five best labels, and the pictures nearest by fc7."
      >
        37.5 % top-1 and 17.0 % top-5 errors in the challenge of 2010, 15.3 % top-5 in that of 2012 with several
        networks averaged, where the next best had 26.2 %. Pictures that the last hidden layer describes alike show the
        same thing, even where hardly a pixel agrees.
      </Idea>
    </div>
  );
}

interface IdeaProps {
  readonly section: string;
  readonly title: string;
  /** What the program does for it. */
  readonly program: string;
  readonly children: ComponentChildren;
  readonly demo?: ComponentChildren;
}

function Idea({ section, title, program, children, demo }: IdeaProps) {
  return (
    <section class="card idea">
      <h2>
        <span class="soft">{section}</span> {title}
      </h2>
      <div class="sides">
        <p>{children}</p>
        <p class="program">
          <strong>In this program.</strong> {program}
        </p>
      </div>
      {demo}
    </section>
  );
}
